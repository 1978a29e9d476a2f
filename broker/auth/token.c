#include "broker/auth/token.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/secret_file.h"

#include <errno.h>
#include <jansson.h>
#include <jwt.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum {
	KEY_MOST = 64 * 1024,
	TOKEN_MOST = 16 * 1024,
	CLOCKS_MS = 60 * 1000,
	SECRET_LEAST = 32, /* bytes: RFC 7518 3.2 */
	RSA_LEAST = 2048   /* bits: RFC 7518 3.3 */
};

struct token_key {
	const struct config_authorizer *config;
	jwt_alg_t algorithm;
	uint8_t *bytes;
	size_t n;
};

/* Why not; NULL: it is read. */
static const char *read_file(struct token_key *k, const char *path)
{
	FILE *f = fopen(path, "re");
	const char *why = NULL;
	struct stat st;

	if (f == NULL)
		return strerror(errno);
	if (fstat(fileno(f), &st) != 0)
		why = strerror(errno);
	else if (k->algorithm == JWT_ALG_HS256 && !secret_file_is_kept(&st))
		why = secret_file_fault;
	errno = 0;
	k->bytes = xmalloc(KEY_MOST);
	k->n = why == NULL ? fread(k->bytes, 1, KEY_MOST, f) : 0;
	if (why == NULL && ferror(f))
		why = strerror(errno);
	fclose(f);
	return why;
}

static const char *read_key(struct token_key *k)
{
	const char *key = k->config->key;
	const char *why = NULL;

	if (key != NULL) {
		k->bytes = (uint8_t *)xstrdup(key);
		k->n = strlen(key);
	} else {
		why = read_file(k, k->config->key_file);
	}
	while (k->algorithm == JWT_ALG_HS256 && k->n > 0 &&
	       (k->bytes[k->n - 1] == '\n' || k->bytes[k->n - 1] == '\r'))
		k->n--;
	if (why == NULL && k->n == 0)
		why = "empty";
	return why;
}

/* What libjwt will verify with. */
static const char *wrong_public_key(const struct token_key *k)
{
	int wanted = k->algorithm == JWT_ALG_RS256 ? EVP_PKEY_RSA : EVP_PKEY_EC;
	BIO *in = BIO_new_mem_buf(k->bytes, (int)k->n);
	EVP_PKEY *key = in ? PEM_read_bio_PUBKEY(in, NULL, NULL, NULL) : NULL;
	const char *why = NULL;

	if (key == NULL)
		why = "no public key in PEM (-----BEGIN PUBLIC KEY-----)";
	else if (EVP_PKEY_get_base_id(key) != wanted)
		why = "the key is of another kind than the algorithm";
	else if (wanted == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) < RSA_LEAST)
		why = "an RSA key of fewer than 2048 bits";
	EVP_PKEY_free(key);
	BIO_free(in);
	ERR_clear_error();
	return why;
}

static const char *weak_key(const struct token_key *k)
{
	if (k->algorithm != JWT_ALG_HS256)
		return wrong_public_key(k);
	return k->n < SECRET_LEAST ? "a secret of HS256 has at least 32 bytes" : NULL;
}

struct token_key *token_key_new(const struct config_authorizer *config)
{
	struct token_key *k = xcalloc(1, sizeof *k);
	const char *file = config->key_file ? config->key_file : "", *why;

	k->config = config;
	k->algorithm = jwt_str_alg(config->algorithm);
	why = read_key(k);
	if (why != NULL) {
		log_error("authorizer.key.unreadable", S("authorizer", config->name),
			  S("file", file), S("why", why));
		token_key_free(k);
		return NULL;
	}
	why = weak_key(k);
	if (why != NULL) {
		log_error("authorizer.key.weak", S("authorizer", config->name),
			  S("file", file), S("why", why));
		token_key_free(k);
		return NULL;
	}
	return k;
}

void token_key_free(struct token_key *k)
{
	if (k == NULL)
		return;
	if (k->bytes != NULL)
		OPENSSL_cleanse(k->bytes, k->n);
	free(k->bytes);
	free(k);
}

/*
 * A NumericDate in ms (RFC 7519 2); 0 when it is not there. False when it is not a number: a
 * token with an unreadable expiry must not be valid forever.
 */
static bool read_date(const json_t *claims, const char *name, int64_t *ms)
{
	static const double most_s =
		1e12; /* beyond it is forever, and does not fit into int64_t ms */
	const json_t *v = json_object_get(claims, name);
	double s = json_number_value(v);

	*ms = 0;
	if (v == NULL)
		return true;
	if (s > most_s)
		s = most_s;
	if (s < 1)
		s = 1; /* 0 would mean: no claim */
	*ms = (int64_t)(s * 1000);
	return json_is_number(v);
}

static const char *wrong_time(const struct config_authorizer *config,
			      const json_t *claims, int64_t now_ms, int64_t *expires_ms)
{
	int64_t begins_ms;

	if (!read_date(claims, "exp", expires_ms) ||
	    !read_date(claims, "nbf", &begins_ms))
		return "the token's exp or nbf is no number";
	if (*expires_ms == 0 && !config->endless)
		return "the token has no exp (requireExpiry: false would take it)";
	if (*expires_ms != 0)
		*expires_ms +=
			CLOCKS_MS; /* a token that was accepted late is not expired at once */
	if (*expires_ms != 0 && now_ms >= *expires_ms)
		return "the token has expired";
	if (begins_ms != 0 && now_ms < begins_ms - CLOCKS_MS)
		return "the token is not valid yet";
	return NULL;
}

static bool is_text(const json_t *v, const char *want)
{
	const char *text = json_string_value(v);

	return text != NULL && strcmp(text, want) == 0;
}

/* aud is a string, or a list of them (RFC 7519 4.1.3). */
static bool has_audience(const json_t *aud, const char *want)
{
	for (size_t i = 0; i < json_array_size(aud); i++)
		if (is_text(json_array_get(aud, i), want))
			return true;
	return is_text(aud, want);
}

static const char *not_ours(const struct config_authorizer *config, const json_t *claims)
{
	if (config->issuer != NULL &&
	    !is_text(json_object_get(claims, "iss"), config->issuer))
		return "the token has another issuer";
	if (config->audience != NULL &&
	    !has_audience(json_object_get(claims, "aud"), config->audience))
		return "the token is for another audience";
	return NULL;
}

/*
 * The algorithm first: a public key must never be taken for a shared secret (RFC 8725
 * 2.1). Without a key libjwt takes every token as one of "none", so the
 * header decides.
 */
static const char *wrong_algorithm(const struct token_key *k, const char *token)
{
	const char *name, *why = NULL;
	jwt_t *jwt;

	if (jwt_decode(&jwt, token, NULL, 0) != 0)
		return "the token cannot be read";
	name = jwt_get_header(jwt, "alg");
	if (name == NULL || strcmp(name, k->config->algorithm) != 0)
		why = "the token has another algorithm than the configured one";
	jwt_free(jwt);
	return why;
}

/* The claims of a token whose signature is right; NULL: it is not. */
static json_t *verify(const struct token_key *k, const char *token)
{
	json_t *claims = NULL;
	char *text = NULL;
	jwt_t *jwt;

	if (jwt_decode(&jwt, token, k->bytes, (int)k->n) != 0)
		return NULL;
	if (jwt_get_alg(jwt) == k->algorithm)
		text = jwt_get_grants_json(jwt, NULL);
	if (text != NULL)
		claims = json_loads(text, 0, NULL);
	free(text);
	jwt_free(jwt);
	return claims;
}

static void assign(const json_t *claims, struct token_claims *out)
{
	const char *subject = json_string_value(json_object_get(claims, "sub"));

	out->subject = xstrdup(subject ? subject : "");
	out->json = json_dumps(claims, JSON_COMPACT);
}

static const char *check(const struct token_key *k, const char *token, int64_t now_ms,
			 struct token_claims *out)
{
	const char *why = wrong_algorithm(k, token);
	json_t *claims;

	if (why != NULL)
		return why;
	claims = verify(k, token);
	if (claims == NULL)
		return "the token's signature is wrong";
	why = wrong_time(k->config, claims, now_ms, &out->expires_ms);
	if (why == NULL)
		why = not_ours(k->config, claims);
	if (why == NULL)
		assign(claims, out);
	json_decref(claims);
	return why;
}

enum err token_check(const struct token_key *k, struct span token, int64_t now_ms,
		     struct token_claims *out, const char **why)
{
	char *text;

	*why = "the token is too long";
	if (token.n > TOKEN_MOST)
		return ERR_DENIED;
	text = span_dup(token);
	*why = check(k, text, now_ms, out);
	free(text);
	return *why == NULL ? OK : ERR_DENIED;
}
