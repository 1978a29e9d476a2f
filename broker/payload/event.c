#include "broker/payload/event.h"

#include "base/mem.h"
#include "broker/payload/parts.h"
#include "json/read.h"
#include "proto/arena.h"

#include <assert.h>

static Gatepost__Request *unpack_request(struct arena *a, struct span packed)
{
	return gatepost__request__unpack(&a->allocator, packed.n, packed.p);
}

/*
 * The request that the event shows: its own, or, where that is asked for, the upgrade's
 * out of the context. False when it is nonsense; *out is NULL when there is none.
 */
static bool find_request(const struct event *e, struct arena *a,
			 const Gatepost__Request **out)
{
	const struct call *c = e->call;
	ProtobufCBinaryData kept = e->context->request;

	*out = NULL;
	if (c->kind == GATEPOST__EVENT__KIND__CONNECT ||
	    c->kind == GATEPOST__EVENT__KIND__HTTP)
		*out = unpack_request(a, c->request);
	else if (e->setting->context && kept.len > 0)
		*out = unpack_request(a, span_of(kept.data, kept.len));
	else
		return true;
	return *out != NULL;
}

static bool is_object(ProtobufCBinaryData text)
{
	static const struct json_path whole = {NULL, 0};
	struct json_value v;

	return json_find(span_of(text.data, text.len), &whole, &v) == OK &&
	       v.kind == JSON_IS_OBJECT;
}

static void put(struct event *e, enum event_form form)
{
	if (form == EVENT_AUTHORIZER) {
		assert(e->call->kind == GATEPOST__EVENT__KIND__CONNECT);
		event_authorizer(e);
	} else if (e->call->kind != GATEPOST__EVENT__KIND__HTTP)
		event_websocket(e);
	else if (e->setting->is_v2)
		event_http2(e);
	else
		event_rest(e);
}

static uint64_t number_of(const struct call *c)
{
	return c->kind == GATEPOST__EVENT__KIND__DISCONNECT ? (uint64_t)ID_SEQ_DISCONNECT
							    : c->seq;
}

static struct blob *make(const struct call *c, enum event_form form,
			 const struct event_setting *s, struct arena *a)
{
	enum { EXPECTED = 1024 };
	char connection_id[ID_TEXT], request_id[ID_TEXT];
	struct event e = {
		.call = c,
		.setting = s,
		.context = gatepost__context__unpack(&a->allocator, c->context.n,
						     c->context.p),
		.connection_id = id_text(&c->id, connection_id),
		.request_id = id_request(&c->id, number_of(c), request_id),
	};

	if (e.context == NULL || !find_request(&e, a, &e.request))
		return NULL;
	if (e.context->authorizer.len > 0 && !is_object(e.context->authorizer))
		return NULL;
	json_out_init(&e.out, EXPECTED + c->body.n + c->request.n * 3);
	put(&e, form);
	return json_out_end(&e.out);
}

struct blob *event_json(const struct call *c, enum event_form form,
			const struct event_setting *s)
{
	struct arena a;
	struct blob *b;

	arena_init(&a);
	b = make(c, form, s, &a);
	arena_close(&a);
	return b;
}

char *event_arn(const struct event_setting *s)
{
	return xasprintf("arn:aws:execute-api:%s:%s:%s/%s/$connect", s->region,
			 s->account, s->api_id, s->stage);
}
