#include "broker/events/reply.h"

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
	out->retry = a->is_retry;
	out->expires_ms = a->expires_ms;
	if (a->context != NULL)
		out->context = batch_hold(&l->out, a->context);
	out->n_actions = a->n_actions;
	out->actions = action_pack(&l->out, a->actions, a->n_actions);
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
