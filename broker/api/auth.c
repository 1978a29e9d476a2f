#include "broker/api/auth.h"

#include "base/address.h"
#include "base/log.h"
#include "base/mem.h"
#include "aws/sigv4.h"
#include "aws/keyring.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

/* The secret for unknown keys, so that their refusal takes the same time. */
static const char nobodys_secret[] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

struct auth {
	struct auth_conf conf;
	struct keyring *keyring; /* NULL: authentication is off */
};

struct auth *auth_new(struct loop *l, const struct auth_conf *conf)
{
	struct auth *a = xcalloc(1, sizeof *a);

	a->conf = *conf;
	if (conf->mode == AUTH_NONE)
		return a;
	a->keyring = keyring_new(l, conf->credentials);
	if (a->keyring != NULL)
		return a;
	free(a);
	return NULL;
}

void auth_free(struct auth *a)
{
	if (a == NULL)
		return;
	keyring_free(a->keyring);
	free(a);
}

bool auth_is_open(const struct auth *a)
{
	return a->conf.mode == AUTH_NONE;
}

static __attribute__((format(printf, 4, 5))) enum err
refuse(struct auth_refusal *out, int status, const char *type, const char *fmt, ...)
{
	va_list ap;

	out->status = status;
	out->type = type;
	va_start(ap, fmt);
	vsnprintf(out->message, sizeof out->message, fmt, ap);
	va_end(ap);
	return ERR_DENIED;
}

/* ---- bearer tokens ---- */

static enum err check_token(const struct auth *a, struct span token,
			    struct auth_refusal *out)
{
	if (credentials_of_token(keyring_credentials(a->keyring), token) != NULL)
		return OK;
	return refuse(out, 401, "UnauthorizedException", "The bearer token is not known");
}

/* ---- signatures ---- */

static void read_request(const struct http_request *q, struct sigv4_request *out,
			 struct sigv4_header headers[REQUEST_HEADERS])
{
	*out = (struct sigv4_request){
		.method = q->head.method,
		.path = q->head.path,
		.query = q->head.query,
		.headers = headers,
		.n_headers = q->head.n_headers,
		.body = q->body,
	};
	for (size_t i = 0; i < q->head.n_headers; i++)
		headers[i] = (struct sigv4_header){q->head.headers[i].name,
						   q->head.headers[i].value};
}

static enum err check_scope(const struct auth *a, const struct sigv4 *s,
			    const char *service, struct auth_refusal *out)
{
	const char *region = a->conf.region;

	if (!span_is(s->service, service))
		return refuse(out, 403, "InvalidSignatureException",
			      "Credential should be scoped to correct service: '%s'.",
			      service);
	if (region != NULL && !span_is(s->region, region))
		return refuse(
			out, 403, "InvalidSignatureException",
			"Credential should be scoped to a valid region, not '%.*s'.",
			(int)(s->region.n < 64 ? s->region.n : 64),
			(const char *)s->region.p);
	return OK;
}

static enum err check_secret(const struct auth *a, const struct sigv4_request *r,
			     const struct sigv4 *s, struct auth_refusal *out)
{
	const struct credential *c =
		credentials_of_key(keyring_credentials(a->keyring), s->key_id);
	enum err e = sigv4_check(r, s, c ? c->secret : nobodys_secret);

	if (c == NULL)
		return refuse(out, 403, "UnrecognizedClientException",
			      "The security token included in the request is invalid.");
	if (e != OK)
		return refuse(
			out, 403, "InvalidSignatureException",
			"The request signature we calculated does not match the "
			"signature you provided. Check your AWS Secret Access Key and "
			"signing method. Consult the service documentation for details.");
	return OK;
}

static enum err check_signature(const struct auth *a, const struct http_request *q,
				const char *service, struct auth_refusal *out)
{
	struct sigv4_header headers[REQUEST_HEADERS];
	struct sigv4_request r;
	struct sigv4 s;
	const char *why = NULL;
	enum err e;

	read_request(q, &r, headers);
	e = sigv4_read(&r, &s, &why);
	if (e == ERR_NOTFOUND)
		return refuse(out, 403, "ForbiddenException", "Forbidden");
	if (e != OK)
		return refuse(out, 403, "IncompleteSignatureException", "%s", why);
	e = check_scope(a, &s, service, out);
	if (e != OK)
		return e;
	if (sigv4_age(&s, time(NULL), out->message, sizeof out->message) != OK) {
		out->status = 403;
		out->type = "InvalidSignatureException";
		return ERR_DENIED;
	}
	return check_secret(a, &r, &s, out);
}

/* ---- one or the other ---- */

/* What follows "Bearer "; no bytes and false: it is none. */
static bool find_token(const struct http_request *q, struct span *out)
{
	static const char scheme[] = "Bearer ";
	const struct header *h = request_header(&q->head, "Authorization");
	size_t n = sizeof scheme - 1;

	if (h == NULL || h->value.n < n ||
	    strncasecmp((const char *)h->value.p, scheme, n) != 0)
		return false;
	*out = span_of(h->value.p + n, h->value.n - n);
	return true;
}

static enum err check(const struct auth *a, const struct http_request *q,
		      const char *service, struct auth_refusal *out)
{
	struct span token;

	if (a->conf.mode != AUTH_KEYS && find_token(q, &token))
		return check_token(a, token, out);
	if (a->conf.mode == AUTH_BEARER)
		return refuse(out, 401, "UnauthorizedException",
			      "Show a token: Authorization: Bearer …");
	return check_signature(a, q, service, out);
}

enum err auth_check(const struct auth *a, const struct http_request *q,
		    const char *service, struct auth_refusal *out)
{
	char peer[ADDRESS_TEXT];
	enum err e;

	if (a->conf.mode == AUTH_NONE)
		return OK;
	e = check(a, q, service, out);
	if (e != OK)
		log_warn_flood("management.denied",
			       S("peer",
				 address_host(http_connection_peer(q->connection), peer)),
			       S("why", out->type), S("message", out->message));
	return e;
}
