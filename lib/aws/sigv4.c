/* The signature: HMAC(key of the day, region and service; time, scope, hash of the canonical request). */
#include "aws/sigv4.h"

#include "base/mem.h"
#include "aws/sigv4_canonical.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const char algorithm[] = "AWS4-HMAC-SHA256";

static void hash_bytes(struct span in, char out[SIGV4_HEX + 1])
{
	uint8_t hash[SIGV4_HASH];

	sha256_of(in, hash);
	sha256_hex(hash, out);
}

/* ---- the signature ---- */

/* The key for one day, region and service: a chain of HMACs. */
static void derive(const char *secret, struct span scope, uint8_t key[SIGV4_HASH])
{
	char *first = xasprintf("AWS4%s", secret);
	struct span rest = scope;

	sha256_hmac(span_str(first), sigv4_cut(&rest, '/'), key);
	OPENSSL_cleanse(first, strlen(first));
	free(first);
	for (int i = 0; i < 3; i++) /* region, service, "aws4_request" */
		sha256_hmac(span_of(key, SIGV4_HASH), sigv4_cut(&rest, '/'), key);
}

static void sign(const char *secret, struct span time, struct span scope,
		 const char request[SIGV4_HEX + 1], char out[SIGV4_HEX + 1])
{
	char *text = xasprintf("%s\n%.*s\n%.*s\n%s", algorithm, SPAN_ARG(time),
			       SPAN_ARG(scope), request);
	uint8_t key[SIGV4_HASH], hash[SIGV4_HASH];

	derive(secret, scope, key);
	sha256_hmac(span_of(key, sizeof key), span_str(text), hash);
	OPENSSL_cleanse(key, sizeof key);
	sha256_hex(hash, out);
	free(text);
}

/* What stands for the body in the canonical request; ERR_DENIED when the body is another. */
static enum err check_payload(struct span body, struct span said,
			      char hash[SIGV4_HEX + 1])
{
	if (span_is(said, "UNSIGNED-PAYLOAD")) {
		memcpy(hash, "UNSIGNED-PAYLOAD", sizeof "UNSIGNED-PAYLOAD");
		return OK;
	}
	hash_bytes(body, hash);
	return said.n == 0 || span_is(said, hash) ? OK : ERR_DENIED;
}

enum err sigv4_check(const struct sigv4_request *r, const struct sigv4 *s,
		     const char *secret)
{
	char payload[SIGV4_HEX + 1], request[SIGV4_HEX + 1], want[SIGV4_HEX + 1];
	enum err e = check_payload(r->body, s->payload, payload);

	sigv4_hash(
		r,
		&(struct sigv4_form){s->signed_headers, span_str(payload), s->in_query},
		request);
	sign(secret, s->time, s->scope, request, want);
	if (CRYPTO_memcmp(want, s->signature.p, SIGV4_HEX) != 0)
		return ERR_DENIED;
	return e;
}

/* ---- signing ---- */

const char *sigv4_time(int64_t now_s, char out[SIGV4_TIME])
{
	time_t t = (time_t)now_s;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(out, SIGV4_TIME, "%Y%m%dT%H%M%SZ", &tm);
	return out;
}

static char *all_names(const struct sigv4_request *r)
{
	char *names = xstrdup("");

	for (size_t i = 0; i < r->n_headers; i++) {
		char *more = xasprintf("%s%s%.*s", names, i > 0 ? ";" : "",
				       SPAN_ARG(r->headers[i].name));

		free(names);
		names = more;
	}
	return names;
}

enum err sigv4_sign(const struct sigv4_request *r, const struct sigv4_key *k,
		    const char time[SIGV4_TIME], char out[SIGV4_AUTHORIZATION])
{
	char payload[SIGV4_HEX + 1], request[SIGV4_HEX + 1], signature[SIGV4_HEX + 1];
	char *scope = xasprintf("%.8s/%s/%s/aws4_request", time, k->region, k->service);
	char *names = all_names(r);
	int n;

	hash_bytes(r->body, payload);
	sigv4_hash(r, &(struct sigv4_form){span_str(names), span_str(payload), false},
		   request);
	sign(k->secret, span_str(time), span_str(scope), request, signature);
	n = snprintf(out, SIGV4_AUTHORIZATION,
		     "%s Credential=%s/%s, SignedHeaders=%s, Signature=%s", algorithm,
		     k->id, scope, names, signature);
	free(scope);
	free(names);
	return n > 0 && n < SIGV4_AUTHORIZATION ? OK : ERR_TOOBIG;
}
