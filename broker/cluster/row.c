#include "broker/cluster/row.h"

#include "proto/batch.h"

void row_fill(struct connection_row *row, const Gatepost__Context *x, struct span packed,
	      const char *stage)
{
	row->connected_at_ms = x->connected_at_ms;
	row->source_ip = span_from(x->source_ip);
	row->user_agent = span_from(x->user_agent);
	row->domain_name = span_from(x->domain);
	row->stage = span_str(stage);
	row->context = x->authorizer.len > 0 || x->request.len > 0 || x->user.len > 0
			       ? packed
			       : span_of(NULL, 0);
	row->user = span_from(x->user);
}

static ProtobufCBinaryData bytes_of(struct span s)
{
	return (ProtobufCBinaryData){.len = s.n, .data = (uint8_t *)(uintptr_t)s.p};
}

struct blob *row_context(const struct connection_row *row)
{
	Gatepost__Context x = GATEPOST__CONTEXT__INIT;
	struct blob *b;

	if (row->context.n > 0)
		return blob_new(row->context);
	x.connected_at_ms = row->connected_at_ms;
	x.source_ip = bytes_of(row->source_ip);
	x.user_agent = bytes_of(row->user_agent);
	x.domain = bytes_of(row->domain_name);
	b = blob_alloc(gatepost__context__get_packed_size(&x));
	gatepost__context__pack(&x, b->p);
	return b;
}
