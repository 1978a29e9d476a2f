#include "broker/channels/delivery/fanout.h"

#include "base/mem.h"

#include <stdlib.h>

struct fanout {
	struct interest *interest;
	struct metric *deliveries, *left_out;
};

struct sending {
	struct fanout *fanout;
	const struct fanout_message *message;
	size_t left_out;
};

struct fanout *fanout_new(struct interest *in, struct metrics *m)
{
	struct fanout *f = xcalloc(1, sizeof *f);

	f->interest = in;
	f->deliveries = metric_counter(m, "gatepost_broker_deliveries_total", NULL,
				       "Publications sent to edges, one for each edge");
	f->left_out = metric_counter(
		m, "gatepost_broker_deliveries_skipped_total", NULL,
		"Of these, the ones not sent since the edge's credit was used up");
	return f;
}

void fanout_free(struct fanout *f)
{
	free(f);
}

static void check_credit(void *arg, struct edge_link *edge)
{
	bool *has_credit = arg;

	*has_credit = *has_credit && edge_link_has_credit(edge);
}

bool fanout_has_credit(const struct fanout *f, struct span channel)
{
	bool has_credit = true;

	interest_each(f->interest, channel, check_credit, &has_credit);
	return has_credit;
}

static void add_tags(struct batch *b, Gatepost__Publication *to,
		     const struct message_tags *tags)
{
	Gatepost__Tag *all;

	if (tags->n == 0)
		return;
	to->n_tags = tags->n;
	to->tags = proto_arena_alloc_raw(&b->arena, tags->n * sizeof *to->tags);
	all = proto_arena_alloc_raw(&b->arena, tags->n * sizeof *all);
	batch_hold(b, tags->text);
	for (size_t i = 0; i < tags->n; i++) {
		struct span key = tags->at[i].key, value = tags->at[i].value;

		gatepost__tag__init(&all[i]);
		all[i].key = (ProtobufCBinaryData){key.n, (uint8_t *)(uintptr_t)key.p};
		all[i].value =
			(ProtobufCBinaryData){value.n, (uint8_t *)(uintptr_t)value.p};
		to->tags[i] = &all[i];
	}
}

Gatepost__Publication *fanout_publication(struct batch *b, int64_t offset,
					  struct blob *body, bool is_binary,
					  const struct message_tags *tags)
{
	Gatepost__Publication *to = proto_arena_alloc_raw(&b->arena, sizeof *to);

	gatepost__publication__init(to);
	to->offset = (uint64_t)offset;
	to->body = batch_hold(b, body);
	to->binary = is_binary;
	add_tags(b, to, tags);
	return to;
}

Gatepost__Position *fanout_position(struct batch *b, struct position p)
{
	Gatepost__Position *to = proto_arena_alloc_raw(&b->arena, sizeof *to);

	gatepost__position__init(to);
	to->epoch = batch_copy(b, p.epoch);
	to->offset = (uint64_t)p.offset;
	return to;
}

static void send_one(void *arg, struct edge_link *edge)
{
	struct sending *s = arg;
	const struct fanout_message *m = s->message;
	Gatepost__Deliver *item = edge_link_deliver(edge, m->body->n);
	struct batch *b;

	if (item == NULL) {
		metric_add(s->fanout->left_out, 1);
		s->left_out++;
		return;
	}
	b = &edge_link_out(edge)->out;
	item->channel = batch_copy(b, m->channel);
	item->epoch = batch_copy(b, m->position.epoch);
	item->publication =
		fanout_publication(b, m->position.epoch.n > 0 ? m->position.offset : 0,
				   m->body, m->is_binary, m->tags);
	metric_add(s->fanout->deliveries, 1);
	if (m->receipt == NULL)
		return;
	item->ticket = receipt_ticket(m->receipt);
	receipt_expect(m->receipt, edge);
}

size_t fanout_send(struct fanout *f, const struct fanout_message *m)
{
	struct sending s = {f, m, 0};

	interest_each(f->interest, m->channel, send_one, &s);
	return s.left_out;
}
