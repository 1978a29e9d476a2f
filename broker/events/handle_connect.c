/*
 * A new connection.
 *
 *   handle_connect   check the stage and the store, then the authorizer
 *   on_permission    allowed: write the row
 *   on_put           the row is stored: invoke $connect
 *   on_result        2xx: store the user, subscribe, accept the connection; else remove the row
 *   on_subscribed    to the channels that the function or the authorizer has chosen
 *   on_removed       refused
 *
 * The row is stored before the function runs. If an edge or a broker dies in between, the
 * reaper finds the row, and the function gets its disconnect.
 *
 * source  aws-websocket-api 2.1
 */
#include "broker/events/handle.h"

#include "base/log.h"
#include "base/mem.h"
#include "broker/cluster/row.h"
#include "broker/events/chosen.h"
#include "broker/events/refusal.h"
#include "broker/routes/route.h"
#include "http/path.h"
#include "proto/batch.h"
#include "store/connections.h"

#include <stdlib.h>

static void on_permission(void *arg, const struct permission *p);
static void put_row(struct call *c, store_done_fn *fn);
static void on_put(void *arg, enum err e);
static void on_result(void *arg, const struct result *r);
static void on_user_put(void *arg, enum err e);
static void subscribe(struct call *c);
static void on_subscribed(void *arg, const struct action *actions, size_t n,
			  const struct failure *failure);
static void refuse(struct call *c, const struct result *r);
static void remove_row_and_refuse(struct call *c, int status, const char *message);
static void on_removed(void *arg, enum err e);

static void log_refused(const struct call *c, int status, const char *why)
{
	char id[ID_TEXT];

	log_info_flood("connect.refused", S("id", id_text(&c->in.id, id)),
		       I("status", status), S("why", why));
}

static void refuse_at_once(struct call *c, int status, const char *why,
			   const char *message)
{
	log_refused(c, status, why);
	call_refuse(c, status, message);
}

static bool is_our_stage(struct call *c)
{
	Gatepost__Request *q = call_request(c);
	bool ours = q != NULL && path_is(span_from(q->path), c->in.setting->stage);

	if (q != NULL)
		gatepost__request__free_unpacked(q, NULL);
	return ours;
}

/*
 * Without the store no connection is accepted. After an earlier attempt the row may be
 * stored: then the edge retries until the store answers, so that no row stays forever.
 */
static void retry_later(struct call *c, const char *why)
{
	if (c->again)
		call_retry(c);
	else
		refuse_at_once(c, 503, why, why);
}

void handle_connect(struct call *c)
{
	static const struct permission everybody = {.status = 200};
	const struct route *route = c->connect.route;

	metric_add(c->counts->connects, 1);
	if (!is_our_stage(c))
		refuse_at_once(c, 403, "path is not under the stage: see --stage",
			       "Forbidden");
	else if (!store_is_up(c->uses->store))
		retry_later(c, "The connection table is unavailable, retry");
	else if (route != NULL && route->authorizer != NULL)
		authorizer_ask(route->authorizer, &c->in, on_permission, c);
	else
		on_permission(c, &everybody);
}

/*
 * Has the link to the edge been lost while we waited? Then the row belongs to another
 * broker, or to the reaper, and our result is dropped.
 */
static bool has_lost(struct call *c)
{
	if (!call_is_lost(c))
		return false;
	call_end(c);
	return true;
}

static void on_permission(void *arg, const struct permission *p)
{
	struct call *c = arg;
	bool with_request = c->in.setting->context;

	if (has_lost(c))
		return;
	if (p->status != 200 &&
	    c->again) { /* its row may be stored, by an earlier attempt */
		remove_row_and_refuse(c, p->status, p->message);
		return;
	}
	if (p->status != 200) {
		call_refuse(c, p->status, p->message);
		return;
	}
	c->connect.expires_ms = p->expires_ms;
	c->connect.bearer = p->bearer;
	if (p->context != NULL || with_request)
		call_grant(c, p->context, with_request);
	put_row(c, on_put);
}

static void put_row(struct call *c, store_done_fn *fn)
{
	Gatepost__Context *x = call_context(c);
	char text[ID_TEXT];
	struct connection_row row;

	if (x == NULL) {
		refuse_at_once(c, 500, "the edge sent a context that cannot be read",
			       "Internal server error");
		return;
	}
	row = (struct connection_row){
		.id = span_str(id_text(&c->in.id, text)),
		.edge = id_edge(&c->in.id),
	};
	row_fill(&row, x, c->in.context, c->in.setting->stage);
	store_connection_put(c->uses->store, c->connect.boot, &row, fn, c);
	gatepost__context__free_unpacked(x, NULL);
}

static void on_put(void *arg, enum err e)
{
	static const struct result welcome = {.kind = RESULT_OK, .status = 200};
	struct call *c = arg;

	if (has_lost(c))
		return;
	if (e == ERR_DENIED) /* its edge is fenced, and will get another number */
		refuse_at_once(c, 503, "lease of its edge expired",
			       "This edge accepts no connections now, retry");
	else if (e == ERR_DOWN) /* the row may be stored: the retry finds it */
		call_retry(c);
	else if (e != OK)
		retry_later(c, "The connection table is busy, retry");
	else if (c->connect.route == NULL)
		on_result(c, &welcome);
	else
		function_invoke(c->connect.route->function, &c->in, EVENT_PROXY,
				on_result, c);
}

/* With what its subscriptions give it. */
static void accept_connection(struct call *c, const struct action *actions, size_t n)
{
	const struct refusal *f = c->response;
	struct action *all = xcalloc(n + 1, sizeof *all);

	all[0] = (struct action){
		.kind = ACTION_RESPONSE,
		.status = f->status,
		.headers = f->headers,
		.n_headers = f->n,
		.body = blob_span(f->body),
	};
	if (n > 0)
		memcpy(all + 1, actions, n * sizeof *all);
	call_answer(c, all, n + 1);
	free(all);
}

/* A browser that sent its token as a subprotocol needs one in the 101: the function's choice comes first. */
static struct refusal *response_of(const struct call *c, const struct result *r)
{
	static const struct result_header bearer = {"Sec-WebSocket-Protocol", "bearer"};
	struct result_header *h = xcalloc(r->n_headers + 1, sizeof *h);
	struct refusal *f;

	if (r->n_headers > 0)
		memcpy(h, r->headers, r->n_headers * sizeof *h);
	h[r->n_headers] = bearer;
	f = refusal_new(r->status, h, r->n_headers + c->connect.bearer, r->body);
	free(h);
	return f;
}

/* The authorizer's context key `channels`: a list as text, in room. */
static struct span granted_channels(const Gatepost__Context *x, uint8_t *room)
{
	static const struct json_step step = {.key = {(const uint8_t *)"channels", 8}};
	static const struct json_path path = {&step, 1};
	struct json_value v;
	struct span list;

	if (x == NULL || x->authorizer.len == 0 ||
	    json_find(span_from(x->authorizer), &path, &v) != OK ||
	    v.kind != JSON_IS_STRING || json_unescape(v.raw, room, v.raw.n, &list) != OK)
		return (struct span){0};
	return list;
}

/* What they have chosen, into c->chosen. Returns why it cannot be. */
static const char *choose_channels(struct call *c, const struct result *r)
{
	Gatepost__Context *x = call_context(c);
	uint8_t *room = xmalloc((x != NULL ? x->authorizer.len : 0) + 1);
	const struct chosen_list lists[] = {{VERB_SUBSCRIBE, granted_channels(x, room)},
					    {VERB_SUBSCRIBE, r->channels}};
	const char *why;

	c->chosen = chosen_new(lists, 2, &why);
	free(room);
	if (x != NULL)
		gatepost__context__free_unpacked(x, NULL);
	return why;
}

/* Does the function want anything of channels? */
static void accept_result(struct call *c, const struct result *r)
{
	const char *why = choose_channels(c, r);

	c->response = response_of(c, r);
	if (why != NULL) {
		log_warn_flood("function.failed", S("route", "$connect"), S("why", why));
		remove_row_and_refuse(c, 500, "Internal server error");
	} else if (r->user.n > 0) {
		call_forget_user(c, c->uses->store); /* the authorizer's principal */
		call_set_user(c, r->user);
		put_row(c, on_user_put);
	} else {
		subscribe(c);
	}
}

/* Its row has the user now, as later events have. */
static void on_user_put(void *arg, enum err e)
{
	struct call *c = arg;

	if (has_lost(c))
		return;
	if (e == OK)
		subscribe(c);
	else /* the row is stored: the retry finds it */
		call_retry(c);
}

static bool is_lost(void *arg)
{
	return call_is_lost(arg);
}

static void subscribe(struct call *c)
{
	const struct client_event e = {
		.in = &c->in, .routes = c->routes, .is_lost = is_lost};

	if (c->chosen == NULL)
		accept_connection(c, NULL, 0);
	else
		chosen_do(c->chosen, c->uses->clients, &e, on_subscribed, c);
}

static void on_subscribed(void *arg, const struct action *actions, size_t n,
			  const struct failure *failure)
{
	struct call *c = arg;

	if (has_lost(c))
		return;
	if (failure == NULL) {
		accept_connection(c, actions, n);
		return;
	}
	if (failure_is_left(failure))
		log_info_flood("connect.subscribe.failed", S("code", failure->code),
			       S("why", failure->message));
	else
		log_warn_flood("connect.subscribe.failed", S("code", failure->code),
			       S("why", failure->message));
	if (failure->retryable)
		remove_row_and_refuse(c, 503, "Service Unavailable");
	else
		remove_row_and_refuse(c, 500, "Internal server error");
}

static void on_result(void *arg, const struct result *r)
{
	struct call *c = arg;

	if (has_lost(c))
		return;
	if (r->kind == RESULT_OK && r->status >= 200 && r->status <= 299)
		accept_result(c, r);
	else
		refuse(c, r);
}

static const struct {
	int status;
	const char *message;
} failures[] = {
	[RESULT_FAILED] = {502, "Internal server error"},
	[RESULT_TIMEOUT] = {504, "Endpoint request timed out"},
	[RESULT_THROTTLED] = {429, "Too Many Requests"},
	[RESULT_UNREACHABLE] = {503, "Service Unavailable"},
};

/* Keep the response until the row is removed. */
static void remove_row(struct call *c, int status, const struct result_header *h,
		       size_t n, struct span body)
{
	char text[ID_TEXT];

	c->connect.refusal = refusal_new(status, h, n, body);
	call_forget_user(c, c->uses->store);
	store_connection_remove(c->uses->store, id_edge(&c->in.id),
				span_str(id_text(&c->in.id, text)), on_removed, c);
}

static void remove_row_and_refuse(struct call *c, int status, const char *message)
{
	static const struct result_header h[] = {{"Content-Type", "application/json"},
						 {"Retry-After", "1"}};
	char *body = xasprintf("{\"message\":\"%s\"}", message);

	remove_row(c, status, h, status == 503 ? 2 : 1, span_str(body));
	free(body);
}

static void refuse(struct call *c, const struct result *r)
{
	if (r->kind != RESULT_OK) {
		log_warn_flood("function.failed", S("route", "$connect"),
			       S("function", c->in.route->function), S("why", r->why));
		remove_row_and_refuse(c, failures[r->kind].status,
				      failures[r->kind].message);
	} else {
		log_refused(c, r->status, "rejected by the $connect function");
		if (r->has_body || r->n_headers > 0)
			remove_row(c, r->status, r->headers, r->n_headers, r->body);
		else
			remove_row_and_refuse(c, r->status, "Forbidden");
	}
}

static void on_removed(void *arg, enum err e)
{
	struct call *c = arg;
	const struct refusal *f = c->connect.refusal;

	metric_add(c->counts->refused, 1);
	if (e == OK || e == ERR_NOTFOUND)
		call_respond(c, f->status, f->headers, f->n, blob_span(f->body));
	else /* the row may be stored: the edge retries, and the function is invoked again */
		call_retry(c);
}
