/*
 * One request, down the page:
 *
 *   on_request → find_id → post, look or remove → (an edge) → on_posted, on_looked, on_removed
 */
#include "broker/management.h"

#include "base/address.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "broker/commands.h"
#include "broker/json.h"
#include "broker/path.h"
#include "broker/route.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	ADDRESSES_MOST = 8,
	SILENCE_S = 60,
	BODY_MOST = 16 * 1024 * 1024,
	HEAD_MOST = 64 * 1024
};

struct management {
	struct broker *broker;
	struct evhttp *http;
	char *addresses;
};

/* A request that waits for an edge. Its connection may end meanwhile: then req is NULL. */
struct waiting {
	struct management *m;
	struct evhttp_request *req;
};

static bool listen_all(struct management *m);
static void on_request(struct evhttp_request *req, void *arg);
static void post(struct management *m, struct evhttp_request *req, const struct id *id);
static void look(struct management *m, struct evhttp_request *req, const struct id *id);
static void remove_it(struct management *m, struct evhttp_request *req,
		      const struct id *id);
static void on_posted(void *arg, enum err e, const Gatepost__Outcome *o);
static void on_looked(void *arg, enum err e, const Gatepost__Outcome *o);
static void on_removed(void *arg, enum err e, const Gatepost__Outcome *o);

struct management *management_new(struct broker *b)
{
	struct management *m = xcalloc(1, sizeof *m);

	m->broker = b;
	m->addresses = xstrdup("");
	m->http = evhttp_new(loop_base(b->loop));
	evhttp_set_timeout(m->http, SILENCE_S);
	evhttp_set_max_body_size(m->http, BODY_MOST);
	evhttp_set_max_headers_size(m->http, HEAD_MOST);
	evhttp_set_allowed_methods(m->http,
				   EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
					   EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
					   EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
	evhttp_set_gencb(m->http, on_request, m);
	if (!listen_all(m)) {
		management_free(m);
		return NULL;
	}
	return m;
}

static bool is_loopback(const struct address *a)
{
	const struct sockaddr_in *in4 = (const void *)&a->sa;
	const struct sockaddr_in6 *in6 = (const void *)&a->sa;

	if (a->sa.ss_family == AF_INET)
		return ntohl(in4->sin_addr.s_addr) >> 24 == 127;
	return a->sa.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr);
}

static bool refuse_address(const char *text, const char *why)
{
	log_error("management.failed", S("management", text), S("why", why),
		  S("do", "give --management loopback addresses that are free, such as "
			  "127.0.0.1:8081"));
	return false;
}

static bool listen_at(struct management *m, const char *text)
{
	struct address a, at;
	char bound[ADDRESS_TEXT];
	char *all;
	int fd;

	if (address_parse(text, &a) != OK)
		return refuse_address(text, "not an address");
	if (!is_loopback(&a))
		return refuse_address(
			text, "without authentication it is for this machine alone");
	fd = address_listen(&a, true, &at);
	if (fd < 0 || evhttp_accept_socket(m->http, fd) != 0)
		return refuse_address(text, strerror(errno));
	all = xasprintf("%s%s%s", m->addresses, m->addresses[0] ? "," : "",
			address_text((struct sockaddr *)&at.sa, bound));
	free(m->addresses);
	m->addresses = all;
	return true;
}

static bool listen_all(struct management *m)
{
	char *copy = xstrdup(m->broker->conf.management), *rest = copy;
	int n = 0;
	bool ok = true;

	for (char *one; ok && (one = strsep(&rest, ",")) != NULL;)
		ok = n++ < ADDRESSES_MOST ? listen_at(m, one)
					  : refuse_address(one, "more than 8 addresses");
	free(copy);
	return ok;
}

void management_free(struct management *m)
{
	if (m == NULL)
		return;
	evhttp_free(m->http);
	free(m->addresses);
	free(m);
}

const char *management_addresses(const struct management *m)
{
	return m->addresses;
}

/* ---- answers ---- */

static void reply_json(struct evhttp_request *req, int status, const char *reason,
		       struct evbuffer *body)
{
	evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type",
			  "application/json");
	evhttp_send_reply(req, status, reason, body);
}

/* SDKs find the exception's class in the header; the body is for people. */
static void fail(struct evhttp_request *req, int status, const char *type,
		 struct span message)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req);
	struct evbuffer *body = evbuffer_new();

	evhttp_add_header(headers, "x-amzn-ErrorType", type);
	if (status == 405)
		evhttp_add_header(headers, "Allow", "GET, POST, DELETE");
	if (status == 503)
		evhttp_add_header(headers, "Retry-After", "1");
	evbuffer_add_printf(body, "{\"message\":");
	json_escape(message, body);
	evbuffer_add_printf(body, "}");
	reply_json(req, status, type, body);
	evbuffer_free(body);
}

static void fail_text(struct evhttp_request *req, int status, const char *type,
		      const char *text)
{
	fail(req, status, type, span_str(text));
}

static void fail_err(struct evhttp_request *req, enum err e)
{
	if (e == ERR_NOTFOUND)
		fail_text(req, 410, "GoneException", "The connection is gone");
	else if (e == ERR_BUSY)
		fail_text(req, 429, "LimitExceededException",
			  "The client does not take what is queued for it: try later");
	else
		fail_text(req, 503, "ServiceUnavailableException",
			  "The connection's edge cannot be reached: try again");
}

/* ---- requests ---- */

/* "…/@connections/{rest}" in one of its forms. */
static enum err find_id_text(struct span path, const char *stage, struct span *out)
{
	static const char *const forms[] = {"/@connections/", "/%40connections/"};
	struct span below;

	if (path_below_stage(path, stage, &below))
		path = below;
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		size_t n = strlen(forms[i]);

		if (path.n >= n && memcmp(path.p, forms[i], n) == 0) {
			*out = span_of(path.p + n, path.n - n);
			return OK;
		}
	}
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (memmem(path.p, path.n, forms[i], strlen(forms[i])) != NULL)
			return ERR_DENIED; /* below another stage */
	return ERR_NOTFOUND;
}

/* Answers by itself, and returns false, when there is none. */
static bool find_id(struct management *m, struct evhttp_request *req, struct id *id)
{
	const char *uri = evhttp_request_get_uri(req);
	struct span path = span_of(uri, strcspn(uri, "?"));
	struct span raw;
	char text[256];
	long n;
	enum err e = find_id_text(path, routes_config(m->broker->routes)->stage, &raw);

	if (e == ERR_DENIED) {
		fail_text(req, 403, "ForbiddenException", "Forbidden");
		return false;
	}
	if (e != OK) {
		fail_text(req, 404, "NotFoundException",
			  "Not Found: use /@connections/{connectionId}");
		return false;
	}
	n = path_decode(raw, text, sizeof text);
	if (n < 0 || id_parse(span_of(text, (size_t)n), id) != OK) {
		char *message =
			n < 0 ? xasprintf("Invalid connectionId: %.*s", SPAN_ARG(raw))
			      : xasprintf("Invalid connectionId: %.*s", (int)n, text);

		fail_text(req, 400, "BadRequestException", message);
		free(message);
		return false;
	}
	return true;
}

static void on_request(struct evhttp_request *req, void *arg)
{
	struct management *m = arg;
	enum evhttp_cmd_type method = evhttp_request_get_command(req);
	struct id id;

	if (!find_id(m, req, &id))
		return;
	if (method == EVHTTP_REQ_POST)
		post(m, req, &id);
	else if (method == EVHTTP_REQ_GET)
		look(m, req, &id);
	else if (method == EVHTTP_REQ_DELETE)
		remove_it(m, req, &id);
	else
		fail_text(req, 405, "MethodNotAllowedException",
			  "Use POST, GET or DELETE");
}

static void on_asker_gone(struct evhttp_connection *ec, void *arg)
{
	struct waiting *w = arg;

	(void)ec;
	commands_forget(w->m->broker->commands, w);
	free(w);
}

static struct waiting *wait_for(struct management *m, struct evhttp_request *req)
{
	struct waiting *w = xmalloc(sizeof *w);

	*w = (struct waiting){m, req};
	evhttp_connection_set_closecb(evhttp_request_get_connection(req), on_asker_gone,
				      w);
	return w;
}

/* The request again, for its answer. */
static struct evhttp_request *wake(struct waiting *w)
{
	struct evhttp_request *req = w->req;

	evhttp_connection_set_closecb(evhttp_request_get_connection(req), NULL, NULL);
	free(w);
	return req;
}

static void post(struct management *m, struct evhttp_request *req, const struct id *id)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(req);
	size_t n = evbuffer_get_length(in);
	struct span body = span_of(evbuffer_pullup(in, -1), n);

	if (n > (size_t)m->broker->conf.max_post) {
		char *message =
			xasprintf("The message has %zu bytes, at most %lld are allowed",
				  n, (long long)m->broker->conf.max_post);

		fail_text(req, 413, "PayloadTooLargeException", message);
		free(message);
		return;
	}
	/* Bytes that are no text cannot go in a text frame (RFC 6455 5.6). */
	command_send(m->broker->commands, id, body, !utf8_check(body), on_posted,
		     wait_for(m, req));
}

static void on_posted(void *arg, enum err e, const Gatepost__Outcome *o)
{
	struct evhttp_request *req = wake(arg);

	(void)o;
	if (e == OK)
		evhttp_send_reply(req, 200, "OK", NULL);
	else
		fail_err(req, e);
}

static void look(struct management *m, struct evhttp_request *req, const struct id *id)
{
	command_look(m->broker->commands, id, on_looked, wait_for(m, req));
}

static void print_look(struct evbuffer *body, const Gatepost__Context *x,
		       int64_t active_ms)
{
	char connected[CLOCK_ISO], active[CLOCK_ISO];

	clock_iso(x->connected_at_ms, connected);
	clock_iso(active_ms, active);
	evbuffer_add_printf(
		body, "{\"connectedAt\":\"%s\",\"identity\":{\"sourceIp\":", connected);
	json_escape(span_from(x->source_ip), body);
	evbuffer_add_printf(body, ",\"userAgent\":");
	json_escape(span_from(x->user_agent), body);
	evbuffer_add_printf(body, "},\"lastActiveAt\":\"%s\"}", active);
}

static void on_looked(void *arg, enum err e, const Gatepost__Outcome *o)
{
	struct evhttp_request *req = wake(arg);
	Gatepost__Context *x =
		e == OK ? gatepost__context__unpack(NULL, o->context.len, o->context.data)
			: NULL;
	struct evbuffer *body;

	if (x == NULL) {
		fail_err(req, e == OK ? ERR_DOWN : e);
		return;
	}
	body = evbuffer_new();
	print_look(body, x, o->last_active_ms);
	gatepost__context__free_unpacked(x, NULL);
	reply_json(req, 200, "OK", body);
	evbuffer_free(body);
}

static void remove_it(struct management *m, struct evhttp_request *req,
		      const struct id *id)
{
	command_close(m->broker->commands, id, 1000, "Connection Closed Normally",
		      on_removed, wait_for(m, req));
}

static void on_removed(void *arg, enum err e, const Gatepost__Outcome *o)
{
	struct evhttp_request *req = wake(arg);

	(void)o;
	if (e == OK)
		evhttp_send_reply(req, 204, "No Content", NULL);
	else
		fail_err(req, e);
}
