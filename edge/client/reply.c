/*
 * The response to a client's request: the event's answer, or the edge's own. In order:
 *
 *   reply_keep_push   pushes that arrive before the reply
 *   reply_answer   the event's answer → accept_upgrade; or respond, and perhaps next_request
 *   reply_tick     no broker takes the request
 *   reply_refuse   the edge's own response
 */
#include "edge/client/reply.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "edge/client/handshake.h"
#include "edge/client/registry.h"
#include "edge/client/websocket.h"
#include "edge/link/uplink.h"
#include "http/response.h"
#include "proto/batch.h"

#include <stdlib.h>

enum { EARLY_BYTES = 256 * 1024 }; /* of pushes that wait for a 101 */

/* How long a client waits while no broker takes its request. */
enum { PATIENCE_MS = 5000 };

static void accept_upgrade(struct connection *c, const Gatepost__Response *r);
static void respond(struct connection *c, const Gatepost__Response *r);
static void next_request(struct connection *c);

enum err reply_keep_push(struct connection *c, struct blob *frame)
{
	struct handshake *h = c->handshake;
	const struct clients_conf *conf = &c->clients->conf;

	if (!h->is_upgrade || conf->early_posts == 0)
		return ERR_NOTFOUND;
	if (h->n_early >= (size_t)conf->early_posts || h->early_bytes >= EARLY_BYTES ||
	    c->clients->held_bytes > (uint64_t)conf->held_bytes)
		return ERR_BUSY;
	h->early = xrealloc(h->early, (h->n_early + 1) * sizeof(struct blob *));
	h->early[h->n_early++] = blob_ref(frame);
	h->early_bytes += frame->n;
	c->clients->held_bytes += frame->n;
	return OK;
}

/* --max-age, less what it may be shorter by: never more, since some promise a maximum. */
static int64_t age_of(const struct clients_conf *conf)
{
	int64_t jitter = conf->max_age_ms * conf->max_age_jitter / 100;

	if (jitter > UINT32_MAX - 1)
		jitter = UINT32_MAX - 1;
	return conf->max_age_ms - arc4random_uniform((uint32_t)jitter + 1);
}

/* When it is closed: the expiry of its authorization, or --max-age. */
static void set_expiry(struct connection *c, int64_t expires_ms)
{
	int64_t now = loop_now(c->clients->loop);
	int64_t age = age_of(&c->clients->conf);

	c->ends_ms = age > 0 ? now + age : 0;
	c->ends_cause = CAUSE_MAX_AGE;
	if (expires_ms == 0)
		return;
	expires_ms = now + (expires_ms - clock_wall_ms());
	if (c->ends_ms == 0 || expires_ms < c->ends_ms) {
		c->ends_ms = expires_ms;
		c->ends_cause = CAUSE_EXPIRED;
	}
}

void reply_answer(struct connection *c, const Gatepost__Response *r,
		  const Gatepost__Answer *a)
{
	struct handshake *h = c->handshake;
	bool accepted = h->is_upgrade && r->status >= 200 && r->status <= 299;

	metric_add(c->clients->counts.reply_seconds,
		   1000 * (loop_now(c->clients->loop) - h->asked_ms));
	if (accepted && a->context.len > 0) {
		blob_unref(c->lane.context);
		c->lane.context = blob_new(span_from(a->context));
	}
	if (c->state == CONNECTION_ASKED && accepted && !c->clients->is_closing) {
		set_expiry(c, a->expires_ms);
		accept_upgrade(c, r);
	} else if (accepted) {
		reply_discard(c, CAUSE_TOO_LATE);
	} else if (c->state == CONNECTION_ASKED) {
		respond(c, r);
	}
}

void reply_discard(struct connection *c, enum end_cause cause)
{
	c->lane.is_open = true;
	metric_add(c->clients->counts.opened, 1);
	connection_end(c, cause, NULL);
}

/* The subprotocol that the function chose, if it is one that the client offered. */
static struct span chosen_protocol(const struct handshake *h, const Gatepost__Response *r)
{
	for (size_t i = 0; i < r->n_headers; i++) {
		struct span v = span_from(r->headers[i]->value);
		char *framed;
		bool offered;

		if (!span_is_nocase(span_from(r->headers[i]->name),
				    "Sec-WebSocket-Protocol"))
			continue;
		framed = xasprintf(",%.*s,", SPAN_ARG(v));
		offered = request_is_token(v) && strstr(h->protocols, framed) != NULL;
		free(framed);
		return offered ? v : span_of(NULL, 0);
	}
	return span_of(NULL, 0);
}

static struct response_header *headers_of(const Gatepost__Response *r)
{
	struct response_header *h = xcalloc(r->n_headers + 1, sizeof *h);

	for (size_t i = 0; i < r->n_headers; i++)
		h[i] = (struct response_header){span_from(r->headers[i]->name),
						span_from(r->headers[i]->value)};
	return h;
}

static void accept_upgrade(struct connection *c, const Gatepost__Response *r)
{
	struct handshake *h = c->handshake;
	struct response_header *headers = headers_of(r);
	char accept[ACCEPT_KEY_ANSWER];

	accept_key_answer(span_str(h->key), accept);
	connection_push(c, response_switching(span_str(accept), chosen_protocol(h, r),
					      headers, r->n_headers));
	free(headers);
	c->handshake = NULL;
	websocket_open(c);
	for (size_t i = 0; i < h->n_early; i++)
		websocket_send(c, blob_ref(h->early[i]));
	if (h->n > 0)
		c->protocol->receive(c, handshake_kept(h));
	http_abort(h);
}

static void respond(struct connection *c, const Gatepost__Response *r)
{
	struct handshake *h = c->handshake;
	struct response_header *headers = headers_of(r);
	/* Close if the client pipelines without reading. */
	bool again = h->keep_alive && !h->is_upgrade && !c->clients->is_draining &&
		     connection_can_queue(c);
	unsigned flags = (again ? RESPONSE_KEEP_ALIVE : 0) |
			 (h->head_only ? RESPONSE_HEAD_ONLY : 0);

	connection_push(c, response_blob((int)r->status, headers, r->n_headers,
					 span_from(r->body), flags));
	free(headers);
	if (again)
		next_request(c);
	else
		connection_end(c, CAUSE_ANSWERED, NULL);
}

struct later {
	struct clients *clients;
	struct id id;
};

/* On the next turn: the lane still has the event that was just answered. */
static void on_next_turn(void *arg)
{
	struct later *l = arg;
	struct connection *c = registry_find(l->clients->registry, &l->id);

	if (c != NULL && c->state == CONNECTION_HEAD)
		c->protocol->receive(c, span_of(NULL, 0));
	free(l);
}

static void next_request(struct connection *c)
{
	connection_set_state(c, CONNECTION_HEAD, c->clients->conf.keep_alive_ms);
	handshake_count(c->handshake, 0);
	if (c->handshake->n > 0) {
		struct later *l = xmalloc(sizeof *l);

		*l = (struct later){c->clients, c->lane.id};
		loop_defer(c->clients->loop, on_next_turn, l);
	}
}

void reply_cancel(struct connection *c)
{
	uint32_t bytes = uplink_cancel(c->clients->uplink, &c->lane);

	if (bytes > 0)
		connection_event_done(c, bytes);
}

void reply_tick(struct connection *c, int64_t now)
{
	/* Its lane waits: for a broker, for credit, or for a retry. */
	if (c->lane.waits_in == NULL || now - c->handshake->asked_ms < PATIENCE_MS)
		return;
	connection_end(c, CAUSE_NO_BROKER, NULL);
}

/* In the form that API Gateway gives it. */
void reply_refuse(struct connection *c, const struct end *how)
{
	static const struct {
		int status;
		const char *name, *value;
	} extra[] = {
		{405, "Allow", "GET"},
		{426, "Sec-WebSocket-Version", "13"},
		{503, "Retry-After", "1"},
	};
	struct response_header h[2] = {
		{span_str("Content-Type"), span_str("application/json")}};
	char *body = xasprintf("{\"message\":\"%.*s\"}", SPAN_ARG(how->message));
	unsigned flags = c->handshake->head_only ? RESPONSE_HEAD_ONLY : 0;
	char id[ID_TEXT];
	size_t n = 1;

	for (size_t i = 0; i < sizeof extra / sizeof *extra; i++)
		if (extra[i].status == how->status)
			h[n++] = (struct response_header){span_str(extra[i].name),
							  span_str(extra[i].value)};
	metric_add(c->clients->counts.refused, 1);
	log_info_flood("request.refused", S("id", id_text(&c->lane.id, id)),
		       I("status", how->status), B("why", how->message));
	connection_push(c, response_blob(how->status, h, n, span_str(body), flags));
	free(body);
}
