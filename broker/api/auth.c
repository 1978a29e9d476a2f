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
	struct keyring *keyring;   /* NULL: there is no such file */
	struct keyring *functions; /* the same */
};

/* False after an error line. */
static bool open_keyring(struct loop *l, const char *path, struct keyring **out)
{
	if (path != NULL)
		*out = keyring_new(l, path);
	return path == NULL || *out != NULL;
}

struct auth *auth_new(struct loop *l, const struct auth_conf *conf)
{
	struct auth *a = xcalloc(1, sizeof *a);

	a->conf = *conf;
	if (open_keyring(l, conf->credentials, &a->keyring) &&
	    open_keyring(l, conf->functions, &a->functions))
		return a;
	auth_free(a);
	return NULL;
}

void auth_free(struct auth *a)
{
	if (a == NULL)
		return;
	keyring_free(a->keyring);
	keyring_free(a->functions);
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

static const struct credential *find_key(struct auth *a, struct span id)
{
	const struct credential *c = a->functions ? keyring_key(a->functions, id) : NULL;

	return c == NULL && a->keyring ? keyring_key(a->keyring, id) : c;
}

static enum err check_secret(const struct sigv4_request *r, const struct sigv4 *s,
			     const struct credential *c, struct auth_refusal *out)
{
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

static enum err verify(const struct auth *a, const struct sigv4_request *r,
		       const struct sigv4 *s, const char *service,
		       const struct credential *c, struct auth_refusal *out)
{
	enum err e = check_scope(a, s, service, out);

	if (e != OK)
		return e;
	if (sigv4_age(s, time(NULL), out->message, sizeof out->message) != OK) {
		out->status = 403;
		out->type = "InvalidSignatureException";
		return ERR_DENIED;
	}
	return check_secret(r, s, c, out);
}

static enum err check_signature(struct auth *a, const struct http_request *q,
				const char *service, struct auth_caller *who,
				struct auth_refusal *out)
{
	struct sigv4_header headers[REQUEST_HEADERS];
	const struct credential *c;
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
	c = find_key(a, s.key_id);
	e = verify(a, &r, &s, service, c, out);
	who->function = e == OK ? c->function : NULL;
	return e;
}

/* Everybody may: but one that signs with the key of a function must have its secret. */
static enum err check_open(struct auth *a, const struct http_request *q,
			   const char *service, struct auth_caller *who,
			   struct auth_refusal *out)
{
	struct sigv4_header headers[REQUEST_HEADERS];
	const struct credential *c;
	struct sigv4_request r;
	struct sigv4 s;
	const char *why;
	enum err e;

	if (a->functions == NULL && a->keyring == NULL)
		return OK;
	read_request(q, &r, headers);
	if (sigv4_read(&r, &s, &why) != OK)
		return OK;
	c = find_key(a, s.key_id);
	if (c == NULL || c->function == NULL)
		return OK;
	e = verify(a, &r, &s, service, c, out);
	who->function = e == OK ? c->function : NULL;
	return e;
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

static enum err check(struct auth *a, const struct http_request *q, const char *service,
		      struct auth_caller *who, struct auth_refusal *out)
{
	struct span token;

	if (a->conf.mode == AUTH_NONE)
		return check_open(a, q, service, who, out);
	if (a->conf.mode != AUTH_KEYS && find_token(q, &token))
		return check_token(a, token, out);
	if (a->conf.mode == AUTH_BEARER)
		return refuse(out, 401, "UnauthorizedException",
			      "Show a token: Authorization: Bearer …");
	return check_signature(a, q, service, who, out);
}

/* DynamoDB has one status, and a class of its own for what is not signed. */
static void turn_to_dynamodb(struct auth_refusal *out)
{
	bool is_unsigned = strcmp(out->type, "ForbiddenException") == 0 ||
			   strcmp(out->type, "UnauthorizedException") == 0;

	out->status = 400;
	if (is_unsigned)
		refuse(out, 400, "MissingAuthenticationTokenException",
		       "Request is missing Authentication Token");
}

enum err auth_check(struct auth *a, const struct http_request *q, const char *service,
		    struct auth_caller *who, struct auth_refusal *out)
{
	char peer[ADDRESS_TEXT];
	enum err e;

	*who = (struct auth_caller){0};
	e = check(a, q, service, who, out);
	if (e == OK)
		return OK;
	log_warn_flood("management.denied",
		       S("peer", address_host(http_connection_peer(q->connection), peer)),
		       S("why", out->type), S("message", out->message));
	if (strcmp(service, "dynamodb") == 0)
		turn_to_dynamodb(out);
	return e;
}
