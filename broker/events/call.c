#include "broker/events/call.h"

#include "base/log.h"
#include "base/mem.h"
#include "broker/cluster/row.h"
#include "broker/events/chosen.h"
#include "broker/events/refusal.h"
#include "broker/routes/route.h"
#include "json/read.h"
#include "proto/envelope.h"
#include "store/disconnects.h"
#include "store/users.h"

#include <assert.h>
#include <stdlib.h>

static struct metric *event(struct metrics *m, const char *labels)
{
	return metric_counter(m, "gatepost_broker_events_total", labels,
			      "Events handled");
}

void call_counts_init(struct call_counts *out, struct metrics *m)
{
	*out = (struct call_counts){
		.connects = event(m, "kind=\"connect\""),
		.messages = event(m, "kind=\"message\""),
		.disconnects = event(m, "kind=\"disconnect\""),
		.requests = event(m, "kind=\"http\""),
		.refused = metric_counter(m, "gatepost_broker_refused_total", NULL,
					  "Requests refused by the broker"),
		.retried =
			metric_counter(m, "gatepost_broker_retried_total", NULL,
				       "Events that could not be handled, to be retried"),
	};
}

static ProtobufCBinaryData bytes_of(struct span s)
{
	return (ProtobufCBinaryData){.len = s.n, .data = (uint8_t *)(uintptr_t)s.p};
}

static struct span put(uint8_t **at, ProtobufCBinaryData d)
{
	struct span s = span_of(*at, d.len);

	if (d.len > 0)
		memcpy(*at, d.data, d.len);
	*at += d.len;
	return s;
}

static size_t length_of_channels(const Gatepost__Event *e)
{
	size_t n = 0;

	for (size_t i = 0; i < e->n_channels; i++)
		n += e->channels[i].len;
	return n;
}

static void put_channels(struct call *c, uint8_t **at, const Gatepost__Event *e)
{
	c->disconnect.channels = xcalloc(e->n_channels, sizeof(struct span));
	c->disconnect.n_channels = e->n_channels;
	for (size_t i = 0; i < e->n_channels; i++)
		c->disconnect.channels[i] = put(at, e->channels[i]);
}

struct call *call_new(const struct call_counts *counts, struct routes *routes,
		      struct sink sink, const Gatepost__Event *e)
{
	bool bye = e->kind == GATEPOST__EVENT__KIND__DISCONNECT;
	ProtobufCBinaryData body = bye ? e->reason : e->body;
	struct call *c = xmalloc(sizeof *c + e->context.len + e->request.len + body.len +
				 length_of_channels(e));
	uint8_t *at = c->bytes;

	*c = (struct call){
		.in =
			{
				.setting = routes_setting(routes),
				.kind = e->kind,
				.seq = e->seq,
				.time_ms = e->time_ms,
				.code = (uint16_t)e->code,
				.binary = e->binary,
				.is_suspect = e->again >= EVENT_ACCUSED,
			},
		.sink = sink,
		.routes = routes_ref(routes),
		.counts = counts,
		.again = e->again >= EVENT_AGAIN,
	};
	memcpy(c->in.id.b, e->id.data, ID_BYTES);
	c->in.context = put(&at, e->context);
	c->in.request = put(&at, e->request);
	c->in.body = put(&at, body);
	if (bye && e->n_channels > 0)
		put_channels(c, &at, e);
	return c;
}

static void close_sink(struct call *c)
{
	if (c->sink.ops != NULL)
		c->sink.ops->close(c->sink.to);
	c->sink = (struct sink){0};
}

void call_free(struct call *c)
{
	close_sink(c);
	routes_unref(c->routes);
	chosen_free(c->chosen);
	refusal_free(c->response);
	if (c->in.kind == GATEPOST__EVENT__KIND__CONNECT) {
		blob_unref(c->connect.granted);
		refusal_free(c->connect.refusal);
	} else if (c->in.kind == GATEPOST__EVENT__KIND__DISCONNECT) {
		blob_unref(c->disconnect.reason);
		free(c->disconnect.channels);
	} else if (c->in.kind == GATEPOST__EVENT__KIND__HTTP) {
		free(c->http.path);
	}
	free(c);
}

static bool has_context(const struct call *c)
{
	Gatepost__Context *x = call_context(c);

	if (x != NULL)
		gatepost__context__free_unpacked(x, NULL);
	return x != NULL;
}

struct call *call_new_pending(const struct call_counts *counts, struct routes *routes,
			      const struct disconnect *d)
{
	struct blob *context = row_context(&d->row);
	Gatepost__Event e = GATEPOST__EVENT__INIT;
	struct call *c = NULL;
	struct id id;

	if (id_parse(d->row.id, &id) == OK && id_edge(&id) == d->row.edge) {
		e.id = bytes_of(id_span(&id));
		e.seq = (uint64_t)ID_SEQ_DISCONNECT;
		e.kind = GATEPOST__EVENT__KIND__DISCONNECT;
		e.time_ms = d->time_ms;
		e.code = d->code;
		e.reason = bytes_of(d->reason);
		e.context = bytes_of(blob_span(context));
		c = call_new(counts, routes, (struct sink){0}, &e);
		c->disconnect.phase = PHASE_PENDING;
		c->disconnect.tries = d->tries;
	}
	blob_unref(context);
	if (c != NULL && !has_context(c)) {
		call_free(c);
		c = NULL;
	}
	return c;
}

void call_adopt(struct call *c, const struct disconnect *d)
{
	c->in.time_ms = d->time_ms;
	c->in.code = d->code;
	c->disconnect.tries = d->tries;
	blob_unref(c->disconnect.reason);
	c->disconnect.reason = blob_new(d->reason);
	c->in.body = blob_span(c->disconnect.reason);
}

/* The edge is to keep this context from now on. */
static void keep_context(struct call *c, const Gatepost__Context *x)
{
	struct blob *packed = blob_alloc(gatepost__context__get_packed_size(x));

	gatepost__context__pack(x, packed->p);
	blob_unref(c->connect.granted);
	c->connect.granted = packed;
	c->in.context = blob_span(packed);
}

/* False after a log line: it is too long, and the caller stays anonymous. */
static bool is_user(const struct call *c, struct span user)
{
	char id[ID_TEXT];

	if (user.n <= CALL_USER_MOST)
		return true;
	log_warn_flood("user.ignored", S("id", id_text(&c->in.id, id)),
		       I("bytes", user.n), I("most", CALL_USER_MOST));
	return false;
}

/* principalId, into room; empty when there is none. */
static struct span principal_of(const struct call *c, struct span authorizer,
				uint8_t *room)
{
	static const struct json_step step = {
		.key = {(const uint8_t *)"principalId", 11}};
	static const struct json_path path = {&step, 1};
	struct json_value v;
	struct span user;

	if (json_find(authorizer, &path, &v) != OK || v.kind != JSON_IS_STRING ||
	    json_unescape(v.raw, room, v.raw.n, &user) != OK || !is_user(c, user))
		return (struct span){0};
	return user;
}

void call_grant(struct call *c, const char *authorizer, bool with_request)
{
	Gatepost__Context *x = call_context(c);
	Gatepost__Context packed;
	uint8_t *room = NULL;

	if (x == NULL)
		return;
	packed = *x;
	if (authorizer != NULL) {
		room = xmalloc(strlen(authorizer) + 1);
		packed.authorizer = bytes_of(span_str(authorizer));
		packed.user = bytes_of(principal_of(c, span_str(authorizer), room));
	}
	if (with_request)
		packed.request = bytes_of(c->in.request);
	keep_context(c, &packed);
	free(room);
	gatepost__context__free_unpacked(x, NULL);
}

void call_set_user(struct call *c, struct span user)
{
	Gatepost__Context *x = call_context(c);
	Gatepost__Context packed;

	if (x == NULL || !is_user(c, user)) {
		if (x != NULL)
			gatepost__context__free_unpacked(x, NULL);
		return;
	}
	packed = *x;
	packed.user = bytes_of(user);
	keep_context(c, &packed);
	gatepost__context__free_unpacked(x, NULL);
}

Gatepost__Context *call_context(const struct call *c)
{
	return gatepost__context__unpack(NULL, c->in.context.n, c->in.context.p);
}

Gatepost__Request *call_request(const struct call *c)
{
	return gatepost__request__unpack(NULL, c->in.request.n, c->in.request.p);
}

bool call_is_lost(const struct call *c)
{
	return c->sink.ops != NULL && c->sink.ops->is_lost(c->sink.to);
}

static void answer(struct call *c, struct answer *a)
{
	if (c->sink.ops == NULL)
		return;
	a->id = &c->in.id;
	a->term = c->sink.term;
	a->seq = c->in.seq;
	c->sink.ops->answer(c->sink.to, a);
}

static void end_with(struct call *c, struct answer *a)
{
	answer(c, a);
	c->turn.end(c);
}

static bool is_request(const struct call *c)
{
	return c->in.kind == GATEPOST__EVENT__KIND__CONNECT ||
	       c->in.kind == GATEPOST__EVENT__KIND__HTTP;
}

/* May the action stand there in the answer to this event? As proto/envelope.h and edge/link/downlink.c have it. */
static bool is_in_place(const struct call *c, const struct action *list, size_t n,
			size_t i)
{
	switch (list[i].kind) {
	case ACTION_RESPONSE:
		return i == 0 && is_request(c) &&
		       (n == 1 || (c->in.kind == GATEPOST__EVENT__KIND__CONNECT &&
				   list[0].status <= 299));
	case ACTION_FRAME:
	case ACTION_ACTIVATE:
	case ACTION_UNSUBSCRIBE:
		return i > 0 || c->in.kind == GATEPOST__EVENT__KIND__MESSAGE;
	case ACTION_CLOSE:
		return i == n - 1 &&
		       (i > 0 || c->in.kind == GATEPOST__EVENT__KIND__MESSAGE);
	}
	return false;
}

static uint64_t bytes_of_missed(const struct action_activate *a)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < a->n_missed; i++)
		bytes += a->missed[i]->body.len;
	return bytes;
}

/* Whoever made them has limits of its own: this is the last place that can keep the link. */
static bool are_readable(const struct action *actions, size_t n)
{
	uint64_t bytes = 0, before_last = 0;
	size_t missed = 0;

	for (size_t i = 0; i < n; i++) {
		const struct action_activate *a = actions[i].activate;

		before_last = bytes;
		bytes += actions[i].body.n;
		if (actions[i].kind == ACTION_ACTIVATE) {
			bytes += bytes_of_missed(a);
			missed += a->n_missed;
		}
	}
	if (envelope_actions_ok(n, before_last) && missed <= ENVELOPE_PUBLICATIONS)
		return true;
	log_warn_flood(
		"answer.unreadable", I("actions", n), I("most", ENVELOPE_ACTIONS),
		I("bytes", before_last), I("missed", missed),
		S("why", "too much for one answer: the client gets an error instead"));
	return false;
}

void call_answer(struct call *c, const struct action *actions, size_t n)
{
	struct answer a = {.actions = actions, .n_actions = n};

	for (size_t i = 0; i < n; i++)
		assert(is_in_place(c, actions, n, i));
	if (!are_readable(actions, n)) {
		if (is_request(c))
			call_refuse(c, 502, "Internal server error");
		else
			call_reply_error(c, "Internal server error");
		return;
	}
	if (c->in.kind == GATEPOST__EVENT__KIND__CONNECT) {
		a.expires_ms = c->connect.expires_ms < ENVELOPE_TIME_MOST
				       ? c->connect.expires_ms
				       : ENVELOPE_TIME_MOST;
		a.context = c->connect.granted;
	}
	end_with(c, &a);
}

void call_respond(struct call *c, int status, const struct result_header *h, size_t n,
		  struct span body)
{
	struct action a = {
		.kind = ACTION_RESPONSE,
		.status = status,
		.headers = h,
		.n_headers = n,
		.body = body,
	};

	/* Here too it is the last place that can keep the link. */
	if (!envelope_response_ok((uint32_t)status, n)) {
		log_warn_flood(
			"response.unreadable", I("status", status), I("headers", n),
			I("most", ENVELOPE_ITEM_PARTS),
			S("why",
			  "too many headers for an envelope: the client gets 502"));
		call_refuse(c, 502, "Internal server error");
		return;
	}
	call_answer(c, &a, 1);
}

void call_refuse(struct call *c, int status, const char *message)
{
	static const struct result_header h[] = {{"Content-Type", "application/json"},
						 {"Retry-After", "1"}};
	char *body = xasprintf("{\"message\":\"%s\"}", message);

	metric_add(c->counts->refused, 1);
	call_respond(c, status, h, status == 503 ? 2 : 1, span_str(body));
	free(body);
}

void call_reply(struct call *c, struct span body, bool binary)
{
	struct action a = {.kind = ACTION_FRAME, .body = body, .binary = binary};

	call_answer(c, &a, 1);
}

void call_reply_error(struct call *c, const char *message)
{
	char id[ID_TEXT], request[ID_TEXT];
	char *frame = xasprintf(
		"{\"message\": \"%s\", \"connectionId\":\"%s\", \"requestId\":\"%s\"}",
		message, id_text(&c->in.id, id),
		id_request(&c->in.id, c->in.seq, request));

	metric_add(c->counts->refused, 1);
	call_reply(c, span_str(frame), false);
	free(frame);
}

void call_close(struct call *c, uint16_t code, const char *reason)
{
	struct action a = {.kind = ACTION_CLOSE, .code = code, .body = span_str(reason)};

	call_answer(c, &a, 1);
}

void call_end(struct call *c)
{
	struct answer a = {.n_actions = 0};

	end_with(c, &a);
}

void call_retry(struct call *c)
{
	struct answer a = {.is_retry = true};

	metric_add(c->counts->retried, 1);
	end_with(c, &a);
}

void call_acknowledge(struct call *c)
{
	struct answer a = {.n_actions = 0};

	answer(c, &a);
	close_sink(c);
}

void call_forget_user(const struct call *c, struct store *st)
{
	Gatepost__Context *x = call_context(c);
	char text[ID_TEXT];

	if (x != NULL && users_may_be(span_from(x->user)))
		store_user_remove(st, span_from(x->user),
				  span_str(id_text(&c->in.id, text)), NULL, NULL);
	gatepost__context__free_unpacked(x, NULL);
}
