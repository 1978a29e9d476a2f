#include "broker/events/call.h"

#include "base/log.h"
#include "base/mem.h"
#include "broker/events/lane.h"
#include "broker/events/redelivery.h"
#include "broker/cluster/edges.h"
#include "broker/function/route.h"
#include "broker/cluster/row.h"
#include "proto/batch.h"
#include "proto/envelope.h"
#include "proto/link.h"
#include "store/disconnects.h"

#include <stdlib.h>

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

struct call *call_new(struct broker *b, struct edge_link *peer, const Gatepost__Event *e)
{
	bool bye = e->kind == GATEPOST__EVENT__KIND__DISCONNECT;
	ProtobufCBinaryData body = bye ? e->reason : e->body;
	struct call *c = xmalloc(sizeof *c + e->context.len + e->request.len + body.len);
	uint8_t *at = c->bytes;

	*c = (struct call){
		.broker = b,
		.peer = peer ? edge_link_ref(peer) : NULL,
		.routes = routes_ref(b->routes),
		.term = e->term,
		.seq = e->seq,
		.time_ms = e->time_ms,
		.kind = e->kind,
		.code = (uint16_t)e->code,
		.binary = e->binary,
		.again = e->again >= EVENT_AGAIN,
		.is_accused = e->again >= EVENT_ACCUSED,
	};
	memcpy(c->id.b, e->id.data, ID_BYTES);
	c->context = put(&at, e->context);
	c->request = put(&at, e->request);
	c->body = put(&at, body);
	return c;
}

void call_free(struct call *c)
{
	owed_release(c);
	if (c->peer != NULL)
		edge_link_unref(c->peer);
	routes_unref(c->routes);
	blob_unref(c->granted);
	blob_unref(c->kept);
	free(c->http_path);
	free(c);
}

static bool has_context(const struct call *c)
{
	Gatepost__Context *x = call_context(c);

	if (x != NULL)
		gatepost__context__free_unpacked(x, NULL);
	return x != NULL;
}

struct call *call_new_owed(struct broker *b, const struct disconnect *d)
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
		c = call_new(b, NULL, &e);
		c->is_owed = true;
		c->tries = d->tries;
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
	c->time_ms = d->time_ms;
	c->code = d->code;
	c->tries = d->tries;
	blob_unref(c->kept);
	c->kept = blob_new(d->reason);
	c->body = blob_span(c->kept);
}

void call_grant(struct call *c, const char *authorizer, bool with_request)
{
	Gatepost__Context *x = call_context(c);
	Gatepost__Context packed;

	if (x == NULL)
		return;
	packed = *x;
	if (authorizer != NULL)
		packed.authorizer = bytes_of(span_str(authorizer));
	if (with_request)
		packed.request = bytes_of(c->request);
	c->granted = blob_alloc(gatepost__context__get_packed_size(&packed));
	gatepost__context__pack(&packed, c->granted->p);
	c->context = blob_span(c->granted);
	gatepost__context__free_unpacked(x, NULL);
}

Gatepost__Context *call_context(const struct call *c)
{
	return gatepost__context__unpack(NULL, c->context.n, c->context.p);
}

Gatepost__Request *call_request(const struct call *c)
{
	return gatepost__request__unpack(NULL, c->request.n, c->request.p);
}

/* NULL when nobody waits: the edge's link has ended meanwhile, and it asks another broker then. */
static Gatepost__Answer *answer(struct call *c)
{
	struct link *l = c->peer ? edge_link_out(c->peer) : NULL;
	Gatepost__Answer *a;

	if (l == NULL)
		return NULL;
	a = link_add(l, GATEPOST__ITEM__BODY_ANSWER, &gatepost__answer__descriptor);
	a->id = batch_copy(&l->out, id_span(&c->id));
	a->term = c->term;
	a->seq = c->seq;
	return a;
}

static void *alloc(struct call *c, size_t n)
{
	return arena_alloc(&edge_link_out(c->peer)->out.arena, n);
}

static ProtobufCBinaryData copy(struct call *c, struct span s)
{
	return batch_copy(&edge_link_out(c->peer)->out, s);
}

static void add_headers(struct call *c, Gatepost__Response *r,
			const struct call_header *h, size_t n)
{
	r->headers = alloc(c, n * sizeof *r->headers);
	r->n_headers = n;
	for (size_t i = 0; i < n; i++) {
		r->headers[i] = alloc(c, sizeof *r->headers[i]);
		gatepost__request__header__init(r->headers[i]);
		r->headers[i]->name = copy(c, span_str(h[i].name));
		r->headers[i]->value = copy(c, span_str(h[i].value));
	}
}

/* Whoever made it has limits of its own: this is the last place that can keep the link. */
static void refuse_unreadable(struct call *c, int status, size_t headers)
{
	log_warn_flood("response.unreadable", I("status", status), I("headers", headers),
		       I("most", ENVELOPE_ITEM_PARTS),
		       S("why", "too many headers for an envelope: the client gets 502"));
	call_refuse(c, 502, "Internal server error");
}

void call_respond(struct call *c, int status, const struct call_header *h, size_t n,
		  struct span body)
{
	Gatepost__Answer *a;

	if (!envelope_response_ok((uint32_t)status, n)) {
		refuse_unreadable(c, status, n);
		return;
	}
	a = answer(c);

	if (a != NULL) {
		a->response = alloc(c, sizeof *a->response);
		gatepost__response__init(a->response);
		a->response->status = (uint32_t)status;
		a->response->body = copy(c, body);
		add_headers(c, a->response, h, n);
		a->expires_ms = c->expires_ms < ENVELOPE_TIME_MOST ? c->expires_ms
								   : ENVELOPE_TIME_MOST;
		if (c->granted != NULL)
			a->context = batch_hold(&edge_link_out(c->peer)->out, c->granted);
	}
	lane_done(c);
}

void call_refuse(struct call *c, int status, const char *message)
{
	static const struct call_header h[] = {{"Content-Type", "application/json"},
					       {"Retry-After", "1"}};
	char *body = xasprintf("{\"message\":\"%s\"}", message);

	metric_add(c->broker->counts.refused, 1);
	call_respond(c, status, h, status == 503 ? 2 : 1, span_str(body));
	free(body);
}

void call_reply(struct call *c, struct span body, bool binary)
{
	Gatepost__Answer *a = answer(c);

	if (a != NULL) {
		a->frame = alloc(c, sizeof *a->frame);
		gatepost__frame__init(a->frame);
		a->frame->body = copy(c, body);
		a->frame->binary = binary;
	}
	lane_done(c);
}

void call_reply_error(struct call *c, const char *message)
{
	char id[ID_TEXT], request[ID_TEXT];
	char *frame = xasprintf(
		"{\"message\": \"%s\", \"connectionId\":\"%s\", \"requestId\":\"%s\"}",
		message, id_text(&c->id, id), id_request(&c->id, c->seq, request));

	metric_add(c->broker->counts.refused, 1);
	call_reply(c, span_str(frame), false);
	free(frame);
}

void call_close(struct call *c, uint16_t code, const char *reason)
{
	Gatepost__Answer *a = answer(c);

	if (a != NULL) {
		a->close = code;
		a->close_reason = copy(c, span_str(reason));
	}
	lane_done(c);
}

void call_end(struct call *c)
{
	(void)answer(c);
	lane_done(c);
}

void call_part(struct call *c)
{
	(void)answer(c);
	edge_link_unref(c->peer);
	c->peer = NULL;
	c->is_owed = true;
}

void call_retry(struct call *c)
{
	Gatepost__Answer *a = answer(c);

	if (a != NULL)
		a->retry = true;
	metric_add(c->broker->counts.retried, 1);
	lane_done(c);
}
