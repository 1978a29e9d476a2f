#include "broker/api/auth.h"

#include "base/http_check.h"
#include "base/log.h"
#include "base/mem.h"
#include "aws/sigv4.h"
#include "aws/keyring.h"

#include <event2/buffer.h>
#include <event2/keyvalq_struct.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <time.h>

enum { HEADERS_MOST = 128 };

/* Stands in for the secret of a key that nobody has, so that its refusal takes as long. */
static const char nobodys_secret[] = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

struct auth {
	const struct broker *broker;
	enum auth_mode mode;
	struct keyring *keyring; /* NULL: everybody is let in */
};

struct auth *auth_new(const struct broker *b)
{
	struct auth *a = xcalloc(1, sizeof *a);

	a->broker = b;
	a->mode = (enum auth_mode)b->conf.management_auth;
	if (a->mode == AUTH_NONE)
		return a;
	a->keyring = keyring_new(b->loop, b->conf.credentials);
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
	return a->mode == AUTH_NONE;
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

static struct span method_of(struct evhttp_request *req)
{
	switch ((int)evhttp_request_get_command(req)) {
	case EVHTTP_REQ_GET: return span_str("GET");
	case EVHTTP_REQ_POST: return span_str("POST");
	case EVHTTP_REQ_PUT: return span_str("PUT");
	case EVHTTP_REQ_DELETE: return span_str("DELETE");
	case EVHTTP_REQ_HEAD: return span_str("HEAD");
	case EVHTTP_REQ_OPTIONS: return span_str("OPTIONS");
	case EVHTTP_REQ_PATCH: return span_str("PATCH");
	default: return span_str("");
	}
}

/* libevent's words into ours. */
static void read_request(struct evhttp_request *req, struct sigv4_request *out,
			 struct sigv4_header headers[HEADERS_MOST])
{
	const char *uri = http_target(req);
	size_t path = strcspn(uri, "?");
	struct evbuffer *in = evhttp_request_get_input_buffer(req);
	size_t n = evbuffer_get_length(in);
	const struct evkeyval *h;

	*out = (struct sigv4_request){
		.method = method_of(req),
		.path = span_of(uri, path),
		.query = span_str(uri + path + (uri[path] == '?')),
		.headers = headers,
		.body = span_of(evbuffer_pullup(in, -1), n),
	};
	TAILQ_FOREACH(h, evhttp_request_get_input_headers(req), next)
	if (out->n_headers < HEADERS_MOST)
		headers[out->n_headers++] =
			(struct sigv4_header){span_str(h->key), span_str(h->value)};
}

static enum err check_scope(const struct auth *a, const struct sigv4 *s,
			    const char *service, struct auth_refusal *out)
{
	const char *region = a->broker->conf.region;

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

static enum err check_signature(const struct auth *a, struct evhttp_request *req,
				const char *service, struct auth_refusal *out)
{
	struct sigv4_header headers[HEADERS_MOST];
	struct sigv4_request r;
	struct sigv4 s;
	const char *why = NULL;
	enum err e;

	read_request(req, &r, headers);
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

static enum err check(const struct auth *a, struct evhttp_request *req,
		      const char *service, struct auth_refusal *out)
{
	const char *said = evhttp_find_header(evhttp_request_get_input_headers(req),
					      "Authorization");
	bool bearer = said != NULL && strncasecmp(said, "Bearer ", 7) == 0;

	if (bearer && (a->mode == AUTH_BEARER || a->mode == AUTH_BOTH))
		return check_token(a, span_str(said + 7), out);
	if (a->mode == AUTH_BEARER)
		return refuse(out, 401, "UnauthorizedException",
			      "Show a token: Authorization: Bearer …");
	return check_signature(a, req, service, out);
}

enum err auth_check(const struct auth *a, struct evhttp_request *req, const char *service,
		    struct auth_refusal *out)
{
	enum err e;

	if (a->mode == AUTH_NONE)
		return OK;
	e = check(a, req, service, out);
	if (e != OK) {
		char *peer;
		uint16_t port;

		evhttp_connection_get_peer(evhttp_request_get_connection(req), &peer,
					   &port);
		log_warn_flood("management.denied", S("peer", peer), S("why", out->type),
			       S("message", out->message));
	}
	return e;
}
