#include "fake_edge_link.h"

#include "base/mem.h"
#include "proto/envelope.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

struct edge_link {
	struct link link;
	unsigned refs;
	bool is_gone;
	struct proto_arena arena; /* of what was read last */
};

struct link *edge_link_out(struct edge_link *e)
{
	return e->is_gone ? NULL : &e->link;
}

bool edge_link_is_live(struct edge_link *e)
{
	return !e->is_gone;
}

const char *edge_link_boot(const struct edge_link *e)
{
	(void)e;
	return FAKE_EDGE_BOOT;
}

struct edge_link *edge_link_ref(struct edge_link *e)
{
	e->refs++;
	return e;
}

void edge_link_unref(struct edge_link *e)
{
	e->refs--;
}

struct edge_link *fake_edge_link(void)
{
	struct edge_link *e = xcalloc(1, sizeof *e);

	link_init(&e->link, NULL, span_str("edge"), (struct link_timing){1, 1}, 0);
	proto_arena_init(&e->arena);
	return e;
}

void fake_edge_link_end(struct edge_link *e)
{
	e->is_gone = true;
	link_close(&e->link);
}

void fake_edge_link_free(struct edge_link *e)
{
	cr_assert(eq(u32, e->refs, 0), "somebody holds a reference");
	if (!e->is_gone)
		link_close(&e->link);
	proto_arena_close(&e->arena);
	free(e);
}

const Gatepost__Envelope *fake_edge_link_read(struct edge_link *e)
{
	Gatepost__Envelope head = GATEPOST__ENVELOPE__INIT, *got = NULL;
	zmq_msg_t m;

	head.version = LINK_VERSION;
	proto_arena_reset(&e->arena);
	batch_pack(&e->link.out, &head, &m);
	cr_assert(eq(int,
		     envelope_read(span_of(zmq_msg_data(&m), zmq_msg_size(&m)), &e->arena,
				   &got),
		     OK));
	zmq_msg_close(&m);
	return got;
}
