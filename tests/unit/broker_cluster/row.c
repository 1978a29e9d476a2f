#include "broker/cluster/row.h"

#include "base/span.h"
#include "proto/batch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static ProtobufCBinaryData bytes(const char *s)
{
	return (ProtobufCBinaryData){.len = strlen(s), .data = (uint8_t *)(uintptr_t)s};
}

static Gatepost__Context context(void)
{
	Gatepost__Context x = GATEPOST__CONTEXT__INIT;

	x.connected_at_ms = 1795343464512;
	x.source_ip = bytes("10.0.0.7");
	x.user_agent = bytes("curl");
	x.domain = bytes("chat.example");
	return x;
}

Test(row, of_a_plain_connection_has_no_context_and_gives_it_back)
{
	struct connection_row row = {0};
	Gatepost__Context x = context(), *back;
	struct blob *packed;

	row_fill(&row, &x, span_str("packed"), "dev");
	cr_assert(eq(i64, row.connected_at_ms, 1795343464512));
	cr_assert(span_is(row.source_ip, "10.0.0.7"));
	cr_assert(span_is(row.user_agent, "curl"));
	cr_assert(span_is(row.domain_name, "chat.example"));
	cr_assert(span_is(row.stage, "dev"));
	cr_assert(eq(sz, row.context.n, 0));
	packed = row_context(&row);
	back = gatepost__context__unpack(NULL, packed->n, packed->p);
	cr_assert(back != NULL);
	cr_assert(eq(i64, back->connected_at_ms, x.connected_at_ms));
	cr_assert(span_is(span_from(back->source_ip), "10.0.0.7"));
	cr_assert(span_is(span_from(back->user_agent), "curl"));
	cr_assert(span_is(span_from(back->domain), "chat.example"));
	gatepost__context__free_unpacked(back, NULL);
	blob_unref(packed);
}

/* What does not fit into the row's fields is kept as it came. */
static void keeps_all(const Gatepost__Context *x)
{
	struct connection_row row = {0};
	struct blob *packed;

	row_fill(&row, x, span_str("packed"), "dev");
	cr_assert(span_is(row.context, "packed"));
	packed = row_context(&row);
	cr_assert(span_is(blob_span(packed), "packed"));
	blob_unref(packed);
}

Test(row, of_a_connection_with_an_authorizer_keeps_the_whole_context)
{
	Gatepost__Context x = context();

	x.authorizer = bytes("{\"principalId\":\"ann\"}");
	keeps_all(&x);
}

Test(row, of_a_connection_with_the_head_of_its_upgrade_keeps_the_whole_context)
{
	Gatepost__Context x = context();

	x.request = bytes("head");
	keeps_all(&x);
}
