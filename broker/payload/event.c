#include "broker/payload/event.h"

#include "base/mem.h"
#include "broker/payload/parts.h"
#include "json/read.h"
#include "proto/proto_arena.h"

#include <assert.h>

static Gatepost__Request *unpack_request(struct proto_arena *a, struct span packed)
{
	return gatepost__request__unpack(&a->allocator, packed.n, packed.p);
}

/*
 * The request in the event: its own, or, if configured, the upgrade's from the context.
 * False when it is malformed; *out is NULL when there is none.
 */
static bool find_request(const struct event *e, struct proto_arena *a,
			 const Gatepost__Request **out)
{
	const struct invocation *in = e->in;
	ProtobufCBinaryData kept = e->context->request;

	*out = NULL;
	if (in->kind == GATEPOST__EVENT__KIND__CONNECT ||
	    in->kind == GATEPOST__EVENT__KIND__HTTP)
		*out = unpack_request(a, in->request);
	else if (e->in->setting->context && kept.len > 0)
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
		assert(e->in->kind == GATEPOST__EVENT__KIND__CONNECT);
		event_authorizer(e);
	} else if (e->in->kind != GATEPOST__EVENT__KIND__HTTP)
		event_websocket(e);
	else if (e->in->route->is_v2)
		event_http2(e);
	else
		event_rest(e);
}

static uint64_t number_of(const struct invocation *in)
{
	return in->kind == GATEPOST__EVENT__KIND__DISCONNECT ? (uint64_t)ID_SEQ_DISCONNECT
							     : in->seq;
}

static struct blob *make(const struct invocation *in, enum event_form form,
			 struct proto_arena *a)
{
	enum { EXPECTED = 1024 };
	char connection_id[ID_TEXT], request_id[ID_TEXT];
	struct event e = {
		.in = in,
		.context = gatepost__context__unpack(&a->allocator, in->context.n,
						     in->context.p),
		.connection_id = id_text(&in->id, connection_id),
		.request_id = id_request(&in->id, number_of(in), request_id),
	};

	if (e.context == NULL || !find_request(&e, a, &e.request))
		return NULL;
	if (e.context->authorizer.len > 0 && !is_object(e.context->authorizer))
		return NULL;
	json_out_init(&e.out, EXPECTED + in->body.n + in->request.n * 3);
	put(&e, form);
	return json_out_end(&e.out);
}

struct blob *event_json(const struct invocation *in, enum event_form form)
{
	struct proto_arena a;
	struct blob *b;

	proto_arena_init(&a);
	b = make(in, form, &a);
	proto_arena_close(&a);
	return b;
}

char *event_arn(const struct event_setting *s)
{
	return xasprintf("arn:aws:execute-api:%s:%s:%s/%s/$connect", s->region,
			 s->account, s->api_id, s->stage);
}
