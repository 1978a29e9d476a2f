/*
 * HTTP before, or instead of, WebSocket, until the event is sent. In order:
 *
 *   http_receive   bytes → on_head → (take_body) → send_event
 *
 * reply.c sends the response.
 */
#include "edge/client/http.h"

#include "base/clock.h"
#include "base/mem.h"
#include "edge/client/handshake.h"
#include "edge/client/upgrade.h"
#include "edge/link/uplink.h"
#include "edge/client/reply.h"
#include "proto/batch.h"

#include <event2/util.h>
#include <stdlib.h>

/* A body at 64 KB a second or more may take longer than handshake-timeout; over the memory budget only small ones are accepted. */
enum { BODY_BYTES_A_MS = 64, SMALL_BODY = 16 * 1024 };

static void http_receive(struct connection *c, struct span in);
static size_t feed(struct connection *c, struct span in);
static size_t on_head(struct connection *c, struct span in);
static void on_upgrade(struct connection *c, const struct request *r,
		       const struct upgrade *u);
static void on_request(struct connection *c, const struct request *r);
static size_t take_body(struct connection *c, struct span in);
static void send_event(struct connection *c, uint8_t kind);

const struct connection_protocol http_protocol = {
	.receive = http_receive,
	.tick = reply_tick,
	.end = reply_refuse,
	.forget = reply_cancel,
};

/* The Context is the request's until it is answered. */
static void count(struct connection *c)
{
	bool has = c->state == CONNECTION_BODY || c->state == CONNECTION_ASKED;

	handshake_count(c->handshake, has ? blob_memory(c->lane.context) : 0);
}

static void http_receive(struct connection *c, struct span in)
{
	struct handshake *h = c->handshake;
	size_t used;

	if (h->n == 0) { /* usually the request is complete, and nothing is copied */
		used = feed(c, in);
		if (used < in.n)
			handshake_keep(h, span_of(in.p + used, in.n - used));
	} else {
		if (in.n > 0) /* else the next request is here already */
			handshake_keep(h, in);
		handshake_use(h, feed(c, handshake_kept(h)));
	}
	count(c);
}

/* As far as it goes; returns the bytes used. */
static size_t feed(struct connection *c, struct span in)
{
	size_t all = 0, used = 1;

	while (used > 0 && all < in.n && c->state <= CONNECTION_BODY) {
		struct span rest = span_of(in.p + all, in.n - all);

		used = c->state == CONNECTION_HEAD ? on_head(c, rest)
						   : take_body(c, rest);
		all += used;
	}
	return all;
}

/*
 * Should the head be parsed now? Parsing starts at its first byte, so not for each byte of a slow
 * client: only when its end has arrived, or a malformed line end, when it is too long, or twice as
 * long as at the last attempt.
 */
static bool is_complete(struct connection *c, struct span in)
{
	struct handshake *h = c->handshake;
	bool yes = in.n >= 2 * h->parsed || in.n >= c->clients->request_limits.max_head;

	for (; !yes && h->searched < in.n; h->searched++) {
		const uint8_t *p = in.p + h->searched;

		if (*p == '\n')
			yes = h->searched < 3 || p[-1] != '\r' || p[-2] == '\n';
	}
	return yes;
}

static void refuse(struct connection *c, int status, const char *why)
{
	connection_end(c, CAUSE_BAD_REQUEST,
		       &(struct end_words){(uint16_t)status, span_str(why)});
}

/* Returns the bytes used; 0 when the head is incomplete. */
static size_t on_head(struct connection *c, struct span in)
{
	struct request r;
	struct upgrade u;
	enum err e;

	if (!is_complete(c, in))
		return 0;
	e = request_parse(in, &c->clients->request_limits, &r);
	c->handshake->searched = c->handshake->parsed = e == ERR_AGAIN ? in.n : 0;
	if (e == ERR_AGAIN)
		return 0;
	if (e != OK) {
		refuse(c, r.status, r.why);
		return in.n;
	}
	c->handshake->head_only = span_is(r.method, "HEAD");
	c->handshake->keep_alive = r.keep_alive;
	if (r.chunked) {
		refuse(c, 501,
		       "Transfer-Encoding is not supported: send a "
		       "Content-Length.");
		return in.n;
	}
	e = upgrade_check(&r, &u);
	if (uplink_number(c->clients->uplink) == 0 || c->clients->is_closing)
		connection_end(c, CAUSE_NOT_SERVING, NULL);
	else if (e == OK)
		on_upgrade(c, &r, &u);
	else if (e == ERR_NOTFOUND)
		on_request(c, &r);
	else
		refuse(c, u.status, u.why);
	return r.head_bytes;
}

static ProtobufCBinaryData bytes_of(struct span s)
{
	return (ProtobufCBinaryData){.len = s.n, .data = (uint8_t *)(uintptr_t)s.p};
}

static struct blob *pack(const ProtobufCMessage *m)
{
	struct blob *b = blob_alloc(protobuf_c_message_get_packed_size(m));

	protobuf_c_message_pack(m, b->p);
	return b;
}

static struct blob *pack_request(const struct request *r)
{
	Gatepost__Request m = GATEPOST__REQUEST__INIT;
	Gatepost__Request__Header headers[REQUEST_HEADERS];
	Gatepost__Request__Header *list[REQUEST_HEADERS];

	for (size_t i = 0; i < r->n_headers; i++) {
		gatepost__request__header__init(&headers[i]);
		headers[i].name = bytes_of(r->headers[i].name);
		headers[i].value = bytes_of(r->headers[i].value);
		list[i] = &headers[i];
	}
	m.method = bytes_of(r->method);
	m.path = bytes_of(r->path);
	m.query = bytes_of(r->query);
	m.headers = list;
	m.n_headers = r->n_headers;
	return pack(&m.base);
}

static struct blob *pack_context(const struct connection *c, const struct request *r)
{
	Gatepost__Context m = GATEPOST__CONTEXT__INIT;
	const struct header *agent = request_header(r, "User-Agent");

	m.connected_at_ms = clock_wall_ms();
	m.source_ip = bytes_of(span_str(c->handshake->peer));
	if (agent != NULL)
		m.user_agent = bytes_of(agent->value);
	m.domain = bytes_of(r->host);
	return pack(&m.base);
}

/* A request is an event: from here on the connection has an id and a lane. */
static void assign_id(struct connection *c, const struct request *r)
{
	uint64_t random;
	struct id id;

	evutil_secure_rng_get_bytes(&random, sizeof random);
	id = id_make(uplink_number(c->clients->uplink), c->slot, random);
	lane_begin(&c->lane, &id, pack_context(c, r));
	c->handshake->request = pack_request(r);
}

static char *join_protocols(const struct upgrade *u)
{
	char *all = xstrdup(",");

	for (size_t i = 0; i < u->n_protocols; i++) {
		char *more = xasprintf("%s%.*s,", all, SPAN_ARG(u->protocols[i]));

		free(all);
		all = more;
	}
	return all;
}

static void on_upgrade(struct connection *c, const struct request *r,
		       const struct upgrade *u)
{
	struct handshake *h = c->handshake;

	if (r->content_length > 0) {
		refuse(c, 400, "An upgrade request has no body");
		return;
	}
	assign_id(c, r);
	h->is_upgrade = true;
	memcpy(h->key, u->key.p, u->key.n);
	h->protocols = join_protocols(u);
	send_event(c, GATEPOST__EVENT__KIND__CONNECT);
}

static void on_request(struct connection *c, const struct request *r)
{
	struct handshake *h = c->handshake;

	if (r->content_length > c->clients->conf.max_message) {
		refuse(c, 413, "The body is larger than this server accepts");
		return;
	}
	assign_id(c, r);
	if (r->content_length <= 0) {
		send_event(c, GATEPOST__EVENT__KIND__HTTP);
		return;
	}
	h->body_want = (size_t)r->content_length;
	if (r->expect_continue)
		connection_push(c, blob_new(span_str("HTTP/1.1 100 Continue\r\n\r\n")));
	connection_set_state(c, CONNECTION_BODY, c->clients->conf.handshake_ms);
}

static size_t take_body(struct connection *c, struct span in)
{
	struct handshake *h = c->handshake;
	size_t want = h->body_want - h->body_n;
	size_t n = in.n < want ? in.n : want;

	handshake_add_body(h, span_of(in.p, n));
	c->deadline_ms += (int64_t)n / BODY_BYTES_A_MS;
	if (h->body_n > SMALL_BODY &&
	    c->clients->held_bytes > (uint64_t)c->clients->conf.held_bytes) {
		metric_add(c->clients->counts.shed, 1);
		connection_end(c, CAUSE_NO_MEMORY, NULL);
		return n;
	}
	if (h->body_n == h->body_want)
		send_event(c, GATEPOST__EVENT__KIND__HTTP);
	return n;
}

static void send_event(struct connection *c, uint8_t kind)
{
	struct handshake *h = c->handshake;
	struct blob *request = h->request;
	struct blob *body = h->body ? blob_ref(h->body) : NULL;

	h->request = NULL;
	handshake_drop_body(h);
	h->body_n = h->body_want = 0;
	h->asked_ms = loop_now(c->clients->loop);
	connection_set_state(c, CONNECTION_ASKED, c->clients->conf.verdict_ms);
	connection_event_added(
		c, uplink_request(c->clients->uplink, &c->lane, kind, request, body));
}
