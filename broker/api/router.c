/*
 * One request, down the page:
 *
 *   on_request → is there room? → is_sound → may its sender? → find_target → one of management_*.c
 */
#include "base/address.h"
#include "base/http_check.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/percent.h"
#include "broker/api/internal.h"
#include "http/path.h"
#include "broker/function/route.h"

#include <errno.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	ADDRESSES_MOST = 8,
	BODY_OPEN = 16 * 1024 * 1024,
	HEAD_MOST = 64 * 1024,
	AFTER_GATE_MS = 5000, /* evhttp's patience, behind the gate's, who counts */
};

static bool listen_all(struct management *m);
static void on_request(struct evhttp_request *req, void *arg);

/* ---- life ---- */

/*
 * base64 and escapes make a message of a bulk longer, and there are its ids. Among
 * ourselves more is read, so that AWS's error can say that it is too much; from those
 * who have not shown yet who they are, no more than that.
 */
static ssize_t body_most(const struct management *m)
{
	const struct broker_conf *conf = &m->broker->conf;

	return (ssize_t)(2 * conf->max_post + 64 * conf->max_bulk +
			 (m->auth == NULL || auth_is_open(m->auth) ? BODY_OPEN
								   : HEAD_MOST));
}

struct management *management_new(struct broker *b)
{
	struct management *m = xcalloc(1, sizeof *m);
	int64_t ms = b->conf.management_ms + AFTER_GATE_MS;
	struct timeval silence = {ms / 1000, ms % 1000 * 1000};

	m->broker = b;
	m->addresses = xstrdup("");
	m->hosts = b->conf.management_hosts ? xasprintf("%s,%s", b->conf.management,
							b->conf.management_hosts)
					    : xstrdup(b->conf.management);
	m->http = evhttp_new(loop_base(b->loop));
	m->gate = gate_new(b, m->http);
	m->auth = auth_new(b);
	evhttp_set_timeout_tv(m->http, &silence);
	evhttp_set_max_body_size(m->http, body_most(m));
	evhttp_set_max_headers_size(m->http, HEAD_MOST);
	evhttp_set_allowed_methods(m->http,
				   EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD |
					   EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
					   EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
	evhttp_set_gencb(m->http, on_request, m);
	if (m->auth == NULL || !listen_all(m)) {
		management_free(m);
		return NULL;
	}
	return m;
}

static bool refuse_address(const char *text, const char *why)
{
	log_error("management.failed", S("management", text), S("why", why),
		  S("hint", "set --management to free addresses, such as 127.0.0.1:8081; "
			    "addresses other than loopback need --management-auth"));
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
	if (auth_is_open(m->auth) && !address_is_loopback(&a))
		return refuse_address(
			text,
			"without authentication only loopback addresses are allowed");
	fd = address_listen(&a, true, &at);
	if (fd < 0 || !gate_listen(m->gate, fd))
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
	management_list_close(m);
	management_disconnects_close(m);
	gate_close(m->gate);
	auth_free(m->auth);
	free(m->addresses);
	free(m->hosts);
	free(m);
}

const char *management_addresses(const struct management *m)
{
	return m->addresses;
}

/* ---- requests that wait ---- */

static void on_hang_up(struct evhttp_connection *ec, void *arg)
{
	struct waiting *w = arg;

	(void)ec;
	gate_wake(w->m->gate);
	w->gone(w);
}

void waiting_begin(struct waiting *w, struct management *m, struct evhttp_request *req,
		   void (*gone)(struct waiting *w))
{
	*w = (struct waiting){m, req, gone};
	gate_wait(m->gate);
	evhttp_connection_set_closecb(evhttp_request_get_connection(req), on_hang_up, w);
}

struct evhttp_request *waiting_end(struct waiting *w)
{
	evhttp_connection_set_closecb(evhttp_request_get_connection(w->req), NULL, NULL);
	gate_wake(w->m->gate);
	return w->req;
}

/* ---- requests ---- */

/* What a path asks for. */
struct target {
	const struct place *place;
	struct span rest; /* what follows the place: nothing, or "/{id}" */
};

typedef void all_fn(struct management *m, struct evhttp_request *req);
typedef void one_fn(struct management *m, struct evhttp_request *req,
		    const struct id *id);

static all_fn to_connections, to_disconnects;
static one_fn to_connection, to_disconnect;

static const struct place {
	const char *forms[2];
	all_fn *all;
	one_fn *one;
} places[] = {
	{{"/@connections", "/%40connections"}, to_connections, to_connection},
	{{"/@disconnects", "/%40disconnects"}, to_disconnects, to_disconnect},
};

/* Does path begin with this form, as a whole part? rest: what follows. */
static bool begins_with(struct span path, const char *form, struct span *rest)
{
	size_t n = strlen(form);

	if (path.n < n || memcmp(path.p, form, n) != 0 ||
	    (path.n > n && path.p[n] != '/'))
		return false;
	*rest = span_of(path.p + n, path.n - n);
	return true;
}

static bool is_place(struct span path, struct target *out)
{
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		for (size_t k = 0; k < 2; k++)
			if (begins_with(path, places[i].forms[k], &out->rest)) {
				out->place = &places[i];
				return true;
			}
	return false;
}

/* ERR_DENIED: it is there, but below another stage. */
static enum err find_place(struct span path, const char *stage, struct target *out)
{
	struct span below;

	if (path_below(path, stage, &below) && is_place(below, out))
		return OK;
	if (is_place(path, out))
		return OK;
	for (; path.n > 0; path = span_of(path.p + 1, path.n - 1))
		if (is_place(path, out))
			return ERR_DENIED;
	return ERR_NOTFOUND;
}

/* Answers by itself, and returns false, when there is no such place. */
static bool find_target(struct management *m, struct evhttp_request *req,
			struct target *out)
{
	const char *uri = http_target(req);
	struct span path = span_of(uri, strcspn(uri, "?"));
	enum err e = find_place(path, routes_config(m->broker->routes)->stage, out);

	if (e == ERR_DENIED)
		answer_refusal_text(req, 403, "ForbiddenException", "Forbidden");
	else if (e != OK)
		answer_refusal_text(req, 404, "NotFoundException",
				    "Not Found: use /@connections/{connectionId}");
	return e == OK;
}

/* The same when the query cannot be read: what it asks for shall not be left out. */
static bool query_is_right(struct evhttp_request *req)
{
	const char *query = strchr(evhttp_request_get_uri(req), '?');
	struct evkeyvalq all;

	if (query == NULL)
		return true;
	if (evhttp_parse_query_str(query + 1, &all) != 0) {
		answer_bad(req, "the query is not name=value&…");
		return false;
	}
	evhttp_clear_headers(&all);
	return true;
}

/* The same for the id in rest. */
static bool find_id(struct evhttp_request *req, struct span rest, struct id *id)
{
	struct span raw = span_of(rest.p + 1, rest.n - 1);
	char text[256];
	long n = percent_decode(raw, text, sizeof text);

	if (n >= 0 && id_parse(span_of(text, (size_t)n), id) == OK)
		return true;
	if (n < 0)
		answer_bad(req, "Invalid connectionId: %.*s", SPAN_ARG(raw));
	else
		answer_bad(req, "Invalid connectionId: %.*s", (int)n, text);
	return false;
}

static void wrong_method(struct evhttp_request *req, const char *allowed)
{
	evhttp_add_header(evhttp_request_get_output_headers(req), "Allow", allowed);
	answer_refusal_text(req, 405, "MethodNotAllowedException",
			    "This method is not for this path: see Allow");
}

static void to_connection(struct management *m, struct evhttp_request *req,
			  const struct id *id)
{
	enum evhttp_cmd_type method = evhttp_request_get_command(req);

	if (method == EVHTTP_REQ_POST)
		management_post(m, req, id);
	else if (method == EVHTTP_REQ_GET)
		management_look(m, req, id);
	else if (method == EVHTTP_REQ_DELETE)
		management_remove(m, req, id);
	else
		wrong_method(req, "GET, POST, DELETE");
}

static void to_connections(struct management *m, struct evhttp_request *req)
{
	enum evhttp_cmd_type method = evhttp_request_get_command(req);

	if (method == EVHTTP_REQ_POST)
		management_bulk(m, req);
	else if (method == EVHTTP_REQ_GET)
		management_list(m, req);
	else
		wrong_method(req, "GET, POST");
}

static void to_disconnect(struct management *m, struct evhttp_request *req,
			  const struct id *id)
{
	enum evhttp_cmd_type method = evhttp_request_get_command(req);

	if (method == EVHTTP_REQ_POST)
		management_retry(m, req, id);
	else if (method == EVHTTP_REQ_DELETE)
		management_drop(m, req, id);
	else
		wrong_method(req, "POST, DELETE");
}

static void to_disconnects(struct management *m, struct evhttp_request *req)
{
	enum evhttp_cmd_type method = evhttp_request_get_command(req);

	if (method == EVHTTP_REQ_GET)
		management_parked(m, req);
	else if (method == EVHTTP_REQ_POST)
		management_retry_all(m, req);
	else if (method == EVHTTP_REQ_DELETE)
		management_drop_all(m, req);
	else
		wrong_method(req, "GET, POST, DELETE");
}

/* Answers about many may be large. */
static void to_all(struct management *m, struct evhttp_request *req,
		   const struct place *place)
{
	if (gate_has_room(m->gate, 0) == OK)
		place->all(m, req);
	else
		answer_no_memory(req);
}

static void deny(struct evhttp_request *req, const char *message)
{
	char *peer;
	uint16_t port;

	evhttp_connection_get_peer(evhttp_request_get_connection(req), &peer, &port);
	log_warn_flood("management.denied", S("peer", peer),
		       S("why", "ForbiddenException"), S("message", message));
	answer_refusal_text(req, 403, "ForbiddenException", message);
}

/* Answers by itself, and returns false, what is not to be served whoever signs it, or signs nothing. */
static bool is_sound(struct management *m, struct evhttp_request *req)
{
	const struct http_hosts hosts = {
		m->hosts, "name it in --management-hosts, or set --management-auth"};
	struct http_refusal no;

	if (http_check_framing(req, &no) != OK) {
		answer_refusal_text(req, no.status,
				    no.status == 501 ? "NotImplementedException"
						     : "BadRequestException",
				    no.why);
		return false;
	}
	if (!auth_is_open(m->auth) || http_check_sender(req, &hosts, &no) == OK)
		return true;
	deny(req, no.why);
	return false;
}

static void on_request(struct evhttp_request *req, void *arg)
{
	struct management *m = arg;
	struct auth_refusal no;
	struct target t;
	struct id id;

	if (gate_take(m->gate, req) != OK)
		answer_refusal_text(req, 503, "ServiceUnavailableException",
				    "Too many requests are under way: try again");
	else if (!is_sound(m, req))
		return;
	else if (auth_check(m->auth, req, "execute-api", &no) != OK)
		answer_refusal(req, no.status, no.type,
			       span_str(no.message)); /* management.denied */
	else if (!find_target(m, req, &t) || !query_is_right(req))
		return;
	else if (t.rest.n == 0)
		to_all(m, req, t.place);
	else if (find_id(req, t.rest, &id))
		t.place->one(m, req, &id);
}
