/*
 * HTTP before, or instead of, WebSocket. Time flows down the page:
 *
 *   handshake_feed     bytes → on_head → (take_body) → ask
 *   handshake_answer   the event's answer → accept, or respond
 */
#include "edge/handshake.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "edge/registry.h"
#include "edge/response.h"
#include "edge/upgrade.h"
#include "edge/uplink.h"
#include "edge/websocket.h"
#include "proto/batch.h"

#include <assert.h>
#include <event2/util.h>
#include <stdlib.h>

enum { EARLY_BYTES = 256 * 1024 }; /* of pushes that wait for a 101 */

/* How long a client waits while no broker takes its request. */
enum { PATIENCE_MS = 5000 };

/* A body may take longer than handshake-timeout as long as it comes at 64 KB a second; over the memory budget it may be small. */
enum { BODY_BYTES_A_MS = 64, SMALL_BODY = 16 * 1024 };

struct handshake {
	struct edge *edge;
	char peer[ADDRESS_TEXT]; /* the client's address, without the port */
	uint8_t *in;             /* bytes that are not used yet: from at to n */
	size_t at, n, room;
	size_t searched, parsed; /* of the head that is not whole: see may_be_whole */
	struct blob *request;    /* a packed Request, until it goes into the event */
	struct blob *body;       /* of a plain request */
	size_t body_n;           /* of it, what has come */
	size_t body_want;
	char key[UPGRADE_ACCEPT];
	char *protocols; /* the subprotocols offered, as ",a,b," */
	int64_t asked_ms;
	struct blob **early; /* frames that are to follow the 101 */
	size_t n_early, early_bytes;
	bool is_upgrade, keep_alive, head_only;
};

static size_t feed(struct connection *c, struct span in);
static size_t on_head(struct connection *c, struct span in);
static void on_upgrade(struct connection *c, const struct request *r,
		       const struct upgrade *u);
static void on_request(struct connection *c, const struct request *r);
static size_t take_body(struct connection *c, struct span in);
static void drop_body(struct handshake *h);
static void ask(struct connection *c, uint8_t kind);
static void accept_upgrade(struct connection *c, const Gatepost__Response *r);
static void respond(struct connection *c, const Gatepost__Response *r);
static void next_request(struct connection *c);
static void refuse(struct connection *c, int status, const char *why);

void handshake_begin(struct connection *c, const struct sockaddr *peer)
{
	c->handshake = xcalloc(1, sizeof *c->handshake);
	c->handshake->edge = c->edge;
	address_host(peer, c->handshake->peer);
}

void handshake_free(struct handshake *h)
{
	if (h == NULL)
		return;
	free(h->in);
	free(h->protocols);
	blob_unref(h->request);
	drop_body(h);
	for (size_t i = 0; i < h->n_early; i++)
		blob_unref(h->early[i]);
	free(h->early);
	h->edge->held_bytes -= h->early_bytes;
	free(h);
}

bool handshake_is_upgrade(const struct handshake *h)
{
	return h->is_upgrade;
}

static struct span kept(const struct handshake *h)
{
	return span_of(h->in + h->at, h->n - h->at);
}

/* The bytes wait for more, or for their turn. What is used has its room again before there is more room. */
static void keep(struct handshake *h, struct span in)
{
	if (h->room - h->n < in.n && h->at > 0) {
		h->n -= h->at;
		memmove(h->in, h->in + h->at, h->n);
		h->at = 0;
	}
	if (h->room - h->n < in.n) {
		h->room = h->n + in.n > 2 * h->room ? h->n + in.n : 2 * h->room;
		h->in = xrealloc(h->in, h->room);
	}
	memcpy(h->in + h->n, in.p, in.n);
	h->n += in.n;
}

static void drop_kept(struct handshake *h, size_t used)
{
	h->at += used;
	if (h->at < h->n)
		return;
	free(h->in);
	h->in = NULL;
	h->at = h->n = h->room = 0;
}

void handshake_feed(struct connection *c, struct span in)
{
	struct handshake *h = c->handshake;
	size_t used;

	if (h->n == 0) { /* most often all is here, and nothing is copied */
		used = feed(c, in);
		if (used < in.n)
			keep(h, span_of(in.p + used, in.n - used));
	} else {
		if (in.n > 0) /* else the next request is here already */
			keep(h, in);
		drop_kept(h, feed(c, kept(h)));
	}
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
 * Is it worth while to parse what has come of a head? It is read from its first byte then, so not
 * for each byte that a slow client sends: when its end is here, or a line that ends wrongly, when
 * it is too long, or twice as long as at the last time.
 */
static bool may_be_whole(struct connection *c, struct span in)
{
	struct handshake *h = c->handshake;
	bool yes = in.n >= 2 * h->parsed || in.n >= c->edge->request_limits.max_head;

	for (; !yes && h->searched < in.n; h->searched++) {
		const uint8_t *p = in.p + h->searched;

		if (*p == '\n')
			yes = h->searched < 3 || p[-1] != '\r' || p[-2] == '\n';
	}
	return yes;
}

/* Returns the bytes used; 0 when the head is not whole yet. */
static size_t on_head(struct connection *c, struct span in)
{
	struct request r;
	struct upgrade u;
	enum err e;

	if (!may_be_whole(c, in))
		return 0;
	e = request_parse(in, &c->edge->request_limits, &r);
	c->handshake->searched = c->handshake->parsed = e == ERR_AGAIN ? in.n : 0;
	if (e == ERR_AGAIN)
		return 0;
	if (e != OK) {
		refuse(c, r.status, r.why);
		return in.n;
	}
	c->handshake->head_only = span_is(r.method, "HEAD");
	c->handshake->keep_alive = r.keep_alive;
	e = upgrade_check(&r, &u);
	if (c->edge->number == 0 || c->edge->closing)
		refuse(c, 503, "This edge takes no connections now: try again");
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

/* A request is an event: from here on the socket has a name and a lane. */
static void name(struct connection *c, const struct request *r)
{
	uint64_t random;

	evutil_secure_rng_get_bytes(&random, sizeof random);
	c->id = id_make(c->edge->number, c->slot, random);
	lane_begin(&c->lane);
	blob_unref(c->context);
	c->context = pack_context(c, r);
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
	name(c, r);
	h->is_upgrade = true;
	memcpy(h->key, u->key.p, u->key.n);
	h->protocols = join_protocols(u);
	ask(c, GATEPOST__EVENT__KIND__CONNECT);
}

static void on_request(struct connection *c, const struct request *r)
{
	struct handshake *h = c->handshake;

	if (r->content_length > c->edge->conf.max_message) {
		refuse(c, 413, "The body is larger than this server takes");
		return;
	}
	name(c, r);
	if (r->content_length <= 0) {
		ask(c, GATEPOST__EVENT__KIND__HTTP);
		return;
	}
	h->body_want = (size_t)r->content_length;
	if (r->expect_continue)
		connection_push(c, blob_new(span_str("HTTP/1.1 100 Continue\r\n\r\n")));
	connection_enter(c, CONNECTION_BODY, c->edge->conf.handshake_ms);
}

static void drop_body(struct handshake *h)
{
	h->edge->held_bytes -= h->body ? h->body->n : 0;
	blob_unref(h->body);
	h->body = NULL;
}

/* The buffer grows with what has come, not with what was promised. */
static void grow_body(struct handshake *h, size_t need)
{
	struct edge *edge = h->edge;
	size_t room = h->body ? h->body->n : 0;
	struct blob *b;

	if (need <= room)
		return;
	room = need > 2 * room ? need : 2 * room;
	b = blob_alloc(room < h->body_want ? room : h->body_want);
	if (h->body != NULL)
		memcpy(b->p, h->body->p, h->body_n);
	drop_body(h);
	h->body = b;
	edge->held_bytes += b->n;
}

static size_t take_body(struct connection *c, struct span in)
{
	struct handshake *h = c->handshake;
	size_t want = h->body_want - h->body_n;
	size_t n = in.n < want ? in.n : want;

	grow_body(h, h->body_n + n);
	assert(h->body != NULL); /* content_length is over 0 */
	memcpy(h->body->p + h->body_n, in.p, n);
	h->body_n += n;
	c->deadline_ms += (int64_t)n / BODY_BYTES_A_MS;
	if (h->body_n > SMALL_BODY &&
	    c->edge->held_bytes > (uint64_t)c->edge->conf.held_bytes) {
		metric_add(c->edge->counts.shed, 1);
		refuse(c, 503, "No memory for large requests now: try again");
		return n;
	}
	if (h->body_n == h->body_want)
		ask(c, GATEPOST__EVENT__KIND__HTTP);
	return n;
}

static void ask(struct connection *c, uint8_t kind)
{
	struct handshake *h = c->handshake;
	struct blob *request = h->request;
	struct blob *body = h->body ? blob_ref(h->body) : NULL;

	h->request = NULL;
	drop_body(h);
	h->body_n = h->body_want = 0;
	h->asked_ms = loop_now(c->edge->loop);
	connection_enter(c, CONNECTION_ASKED, c->edge->conf.verdict_ms);
	uplink_request(c->edge->uplink, c, kind, request, body);
}

enum err handshake_keep(struct connection *c, struct blob *frame)
{
	struct handshake *h = c->handshake;
	const struct edge_conf *conf = &c->edge->conf;

	if (!h->is_upgrade || conf->early_posts == 0)
		return ERR_NOTFOUND;
	if (h->n_early >= (size_t)conf->early_posts || h->early_bytes >= EARLY_BYTES ||
	    c->edge->held_bytes > (uint64_t)conf->held_bytes)
		return ERR_BUSY;
	h->early = xrealloc(h->early, (h->n_early + 1) * sizeof(struct blob *));
	h->early[h->n_early++] = blob_ref(frame);
	h->early_bytes += frame->n;
	c->edge->held_bytes += frame->n;
	return OK;
}

/* Until when it may stay: its caller's leave, and the longest life of a connection. */
static void set_end(struct connection *c, int64_t expires_ms)
{
	int64_t now = loop_now(c->edge->loop), age = c->edge->conf.max_age_ms;

	c->ends_ms = age > 0 ? now + age : 0;
	c->ends_code = FRAME_CODE_GOING_AWAY;
	if (expires_ms == 0)
		return;
	expires_ms = now + (expires_ms - clock_wall_ms());
	if (c->ends_ms == 0 || expires_ms < c->ends_ms) {
		c->ends_ms = expires_ms;
		c->ends_code = WEBSOCKET_EXPIRED;
	}
}

void handshake_answer(struct connection *c, const Gatepost__Answer *a)
{
	struct handshake *h = c->handshake;
	const Gatepost__Response *r = a->response;
	bool accepted = h->is_upgrade && r->status >= 200 && r->status <= 299;

	metric_add(c->edge->counts.verdict_seconds,
		   1000 * (loop_now(c->edge->loop) - h->asked_ms));
	if (accepted && a->context.len > 0) {
		blob_unref(c->context);
		c->context = blob_new(span_from(a->context));
	}
	if (c->state == CONNECTION_ASKED && accepted && !c->edge->closing) {
		set_end(c, a->expires_ms);
		accept_upgrade(c, r);
	} else if (accepted) { /* it was let in, but is not here any more */
		c->is_opened = true;
		metric_add(c->edge->counts.opened, 1);
		websocket_lost(c, FRAME_CODE_ABNORMAL,
			       "Gone before the handshake was done");
		if (c->state == CONNECTION_ASKED)
			refuse(c, 503, "This edge takes no connections now: try again");
	} else if (c->state == CONNECTION_ASKED) {
		respond(c, r);
	}
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

	connection_push(c, response_switching(span_str(h->key), chosen_protocol(h, r),
					      headers, r->n_headers));
	free(headers);
	c->handshake = NULL;
	websocket_open(c);
	for (size_t i = 0; i < h->n_early; i++)
		websocket_send(c, blob_ref(h->early[i]));
	if (h->n > 0)
		websocket_feed(c, kept(h));
	handshake_free(h);
}

static void respond(struct connection *c, const Gatepost__Response *r)
{
	struct handshake *h = c->handshake;
	struct response_header *headers = headers_of(r);
	bool again = h->keep_alive && !h->is_upgrade && !c->edge->draining;
	unsigned flags = (again ? RESPONSE_KEEP_ALIVE : 0) |
			 (h->head_only ? RESPONSE_HEAD_ONLY : 0);

	connection_push(c, response_blob((int)r->status, headers, r->n_headers,
					 span_from(r->body), flags));
	free(headers);
	if (again)
		next_request(c);
	else
		connection_finish(c);
}

struct later {
	struct edge *edge;
	struct id id;
};

/* On the next turn: the lane still has the event that was just answered. */
static void on_next_turn(void *arg)
{
	struct later *l = arg;
	struct connection *c = registry_find(l->edge->registry, &l->id);

	if (c != NULL && c->state == CONNECTION_HEAD)
		handshake_feed(c, span_of(NULL, 0));
	free(l);
}

static void next_request(struct connection *c)
{
	connection_enter(c, CONNECTION_HEAD, c->edge->conf.keep_alive_ms);
	if (c->handshake->n > 0) {
		struct later *l = xmalloc(sizeof *l);

		*l = (struct later){c->edge, c->id};
		loop_defer(c->edge->loop, on_next_turn, l);
	}
}

void handshake_late(struct connection *c)
{
	struct handshake *h = c->handshake;

	if (c->state == CONNECTION_ASKED) {
		refuse(c, 504, "No answer in time");
	} else if (c->state == CONNECTION_BODY || h->n > 0) {
		refuse(c, 408, "The request did not arrive in time");
	} else {
		if (h->asked_ms == 0)
			metric_add(c->edge->counts.silent, 1);
		connection_cut(c); /* it said nothing, and so do we */
	}
}

void handshake_forget(struct connection *c)
{
	struct lane_event *e = c->lane.first;

	if (e == NULL || e != c->lane.unsent || e->was_sent)
		return;
	lane_unwait(&c->lane);
	c->lane.unsent = e->next;
	connection_event_done(c, e);
}

void handshake_tick(struct connection *c, int64_t now)
{
	/* Its lane waits: for a broker, for credit, or to be tried again. */
	if (c->lane.waits_in == NULL || now - c->handshake->asked_ms < PATIENCE_MS)
		return;
	refuse(c, 503, "This cannot be done now: try again");
	handshake_forget(c);
}

bool handshake_drain(struct connection *c)
{
	struct handshake *h = c->handshake;
	bool asked = c->state == CONNECTION_ASKED;

	if (asked && !h->is_upgrade)
		return false;
	if (c->state == CONNECTION_HEAD && h->n == 0 && h->asked_ms != 0) {
		connection_cut(c); /* nothing was asked since the last answer */
		return true;
	}
	refuse(c, 503, "This edge takes no connections now: try again");
	if (asked)
		handshake_forget(c);
	return true;
}

/* The edge's own word, in the form that API Gateway gives it. */
static void refuse(struct connection *c, int status, const char *why)
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
	char *body = xasprintf("{\"message\":\"%s\"}", why);
	unsigned flags = c->handshake->head_only ? RESPONSE_HEAD_ONLY : 0;
	size_t n = 1;

	for (size_t i = 0; i < sizeof extra / sizeof *extra; i++)
		if (extra[i].status == status)
			h[n++] = (struct response_header){span_str(extra[i].name),
							  span_str(extra[i].value)};
	metric_add(c->edge->counts.refused, 1);
	connection_push(c, response_blob(status, h, n, span_str(body), flags));
	free(body);
	connection_finish(c);
}
