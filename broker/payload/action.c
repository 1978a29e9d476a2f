#include "broker/payload/action.h"

static Gatepost__Response *response_of(struct batch *out, const struct action *a)
{
	Gatepost__Response *r = proto_arena_alloc_raw(&out->arena, sizeof *r);

	gatepost__response__init(r);
	r->status = (uint32_t)a->status;
	r->body = batch_copy(out, a->body);
	r->n_headers = a->n_headers;
	r->headers = proto_arena_alloc(&out->arena, a->n_headers * sizeof *r->headers);
	for (size_t i = 0; i < a->n_headers; i++) {
		r->headers[i] = proto_arena_alloc(&out->arena, sizeof *r->headers[i]);
		gatepost__request__header__init(r->headers[i]);
		r->headers[i]->name = batch_copy(out, span_str(a->headers[i].name));
		r->headers[i]->value = batch_copy(out, span_str(a->headers[i].value));
	}
	return r;
}

static Gatepost__Close *close_of(struct batch *out, const struct action *a)
{
	Gatepost__Close *c = proto_arena_alloc_raw(&out->arena, sizeof *c);

	gatepost__close__init(c);
	c->code = a->code;
	c->reason = batch_copy(out, a->body);
	return c;
}

static ProtobufCBinaryData copy(struct batch *out, ProtobufCBinaryData d)
{
	return batch_copy(out, span_from(d));
}

static Gatepost__Publication *publication_of(struct batch *out,
					     const Gatepost__Publication *p)
{
	Gatepost__Publication *to = proto_arena_alloc_raw(&out->arena, sizeof *to);

	*to = *p;
	to->body = copy(out, p->body);
	to->tags = proto_arena_alloc(&out->arena, p->n_tags * sizeof *to->tags);
	for (size_t i = 0; i < p->n_tags; i++) {
		Gatepost__Tag *tag = to->tags[i] =
			proto_arena_alloc_raw(&out->arena, sizeof *tag);

		gatepost__tag__init(tag);
		tag->key = copy(out, p->tags[i]->key);
		tag->value = copy(out, p->tags[i]->value);
	}
	return to;
}

static Gatepost__Position *position_of(struct batch *out, const struct position *at)
{
	Gatepost__Position *p;

	if (at->epoch.n == 0)
		return NULL;
	p = proto_arena_alloc_raw(&out->arena, sizeof *p);
	gatepost__position__init(p);
	p->epoch = batch_copy(out, at->epoch);
	p->offset = (uint64_t)at->offset;
	return p;
}

static Gatepost__Activate *activate_of(struct batch *out, const struct action *a)
{
	const struct action_activate *from = a->activate;
	Gatepost__Activate *to = proto_arena_alloc_raw(&out->arena, sizeof *to);

	gatepost__activate__init(to);
	to->channel = batch_copy(out, a->channel);
	to->position = position_of(out, &from->position);
	to->n_missed = from->n_missed;
	to->missed = proto_arena_alloc(&out->arena, from->n_missed * sizeof *to->missed);
	for (size_t i = 0; i < from->n_missed; i++)
		to->missed[i] = publication_of(out, from->missed[i]);
	return to;
}

static Gatepost__Unsubscribe *unsubscribe_of(struct batch *out, const struct action *a)
{
	Gatepost__Unsubscribe *u = proto_arena_alloc_raw(&out->arena, sizeof *u);

	gatepost__unsubscribe__init(u);
	u->channel = batch_copy(out, a->channel);
	return u;
}

static Gatepost__Action *action_of(struct batch *out, const struct action *a)
{
	Gatepost__Action *to = proto_arena_alloc_raw(&out->arena, sizeof *to);

	gatepost__action__init(to);
	switch (a->kind) {
	case ACTION_RESPONSE:
		to->body_case = GATEPOST__ACTION__BODY_RESPONSE;
		to->response = response_of(out, a);
		break;
	case ACTION_FRAME:
		if (a->binary) {
			to->body_case = GATEPOST__ACTION__BODY_BINARY;
			to->binary = batch_copy(out, a->body);
		} else {
			to->body_case = GATEPOST__ACTION__BODY_TEXT;
			to->text = batch_copy(out, a->body);
		}
		break;
	case ACTION_CLOSE:
		to->body_case = GATEPOST__ACTION__BODY_CLOSE;
		to->close = close_of(out, a);
		break;
	case ACTION_ACTIVATE:
		to->body_case = GATEPOST__ACTION__BODY_ACTIVATE;
		to->activate = activate_of(out, a);
		break;
	case ACTION_UNSUBSCRIBE:
		to->body_case = GATEPOST__ACTION__BODY_UNSUBSCRIBE;
		to->unsubscribe = unsubscribe_of(out, a);
		break;
	}
	return to;
}

Gatepost__Action **action_pack(struct batch *out, const struct action *actions, size_t n)
{
	Gatepost__Action **all =
		n > 0 ? proto_arena_alloc_raw(&out->arena, n * sizeof(Gatepost__Action *))
		      : NULL;

	for (size_t i = 0; i < n; i++)
		all[i] = action_of(out, &actions[i]);
	return all;
}
