#include "broker/events/reply.h"

#include "proto/batch.h"

static Gatepost__Response *response_of(struct batch *out, const struct answer *a)
{
	Gatepost__Response *r = arena_alloc(&out->arena, sizeof *r);

	gatepost__response__init(r);
	r->status = (uint32_t)a->status;
	r->body = batch_copy(out, a->body);
	r->n_headers = a->n_headers;
	r->headers = arena_alloc(&out->arena, a->n_headers * sizeof *r->headers);
	for (size_t i = 0; i < a->n_headers; i++) {
		r->headers[i] = arena_alloc(&out->arena, sizeof *r->headers[i]);
		gatepost__request__header__init(r->headers[i]);
		r->headers[i]->name = batch_copy(out, span_str(a->headers[i].name));
		r->headers[i]->value = batch_copy(out, span_str(a->headers[i].value));
	}
	return r;
}

static Gatepost__Frame *frame_of(struct batch *out, const struct answer *a)
{
	Gatepost__Frame *f = arena_alloc(&out->arena, sizeof *f);

	gatepost__frame__init(f);
	f->body = batch_copy(out, a->body);
	f->binary = a->binary;
	return f;
}

/* Nobody waits when the edge's link has ended meanwhile: it asks another broker then. */
static void answer(void *to, const struct answer *a)
{
	struct link *l = edge_link_out(to);
	Gatepost__Answer *out;

	if (l == NULL)
		return;
	out = link_add(l, GATEPOST__ITEM__BODY_ANSWER, &gatepost__answer__descriptor);
	out->id = batch_copy(&l->out, id_span(a->id));
	out->term = a->term;
	out->seq = a->seq;
	switch (a->kind) {
	case ANSWER_DONE: return;
	case ANSWER_RETRY: out->retry = true; return;
	case ANSWER_FRAME: out->frame = frame_of(&l->out, a); return;
	case ANSWER_CLOSE:
		out->close = a->code;
		out->close_reason = batch_copy(&l->out, a->body);
		return;
	case ANSWER_RESPONSE:
		out->response = response_of(&l->out, a);
		out->expires_ms = a->expires_ms;
		if (a->context != NULL)
			out->context = batch_hold(&l->out, a->context);
		return;
	}
}

static bool is_lost(void *to)
{
	return !edge_link_is_live(to);
}

static void close_sink(void *to)
{
	edge_link_unref(to);
}

struct sink reply_to(struct edge_link *edge, uint32_t term)
{
	static const struct sink_ops ops = {answer, is_lost, close_sink};

	return (struct sink){.ops = &ops, .to = edge_link_ref(edge), .term = term};
}
