#include "broker/commands.h"

#include "base/map.h"
#include "base/mem.h"
#include "store/connections.h"

#include <stdlib.h>

enum { TICK_MS = 100 };

struct asked {
	uint64_t ticket; /* the key */
	struct commands *commands;
	struct edge_link *
		edge; /* NULL: the store is asked, or the answer is due on the next turn */
	command_fn *fn; /* NULL: nobody waits any more */
	void *arg;
	int64_t until_ms;
	enum err known; /* the answer that is due */
};

struct commands {
	struct broker *broker;
	struct map *by_ticket;
	struct timer *timer;
	uint64_t last_ticket;
};

static void tick(void *arg);
static void on_row(void *arg, enum err e, const struct connection_row *row);

struct commands *commands_new(struct broker *b)
{
	struct commands *c = xcalloc(1, sizeof *c);

	c->broker = b;
	c->by_ticket = map_new();
	c->timer = timer_new(b->loop, tick, c);
	timer_every(c->timer, TICK_MS);
	return c;
}

static void forget(struct asked *a)
{
	map_remove(a->commands->by_ticket, span_of(&a->ticket, sizeof a->ticket));
	if (a->edge != NULL)
		edge_link_unref(a->edge);
	free(a);
}

void commands_free(struct commands *c)
{
	struct asked *a;

	if (c == NULL)
		return;
	for (size_t at = 0; (a = map_next(c->by_ticket, &at)) != NULL;)
		forget(a);
	map_free(c->by_ticket);
	timer_free(c->timer);
	free(c);
}

static void finish(struct asked *a, enum err e, const Gatepost__Outcome *o)
{
	command_fn *fn = a->fn;
	void *arg = a->arg;

	forget(a);
	if (fn != NULL)
		fn(arg, e, o);
}

static struct asked *ask(struct commands *c, command_fn *fn, void *arg)
{
	struct asked *a = xcalloc(1, sizeof *a);

	a->commands = c;
	a->ticket = ++c->last_ticket;
	a->fn = fn;
	a->arg = arg;
	a->until_ms = loop_now(c->broker->loop) + c->broker->conf.command_ms;
	map_put(c->by_ticket, span_of(&a->ticket, sizeof a->ticket), a);
	return a;
}

static void on_next_turn(void *arg)
{
	struct asked *a = arg;

	finish(a, a->known, NULL);
}

/* No link to that edge: has it gone, or is it only not linked to us yet? The table knows. */
static void ask_store(struct asked *a, const struct id *id)
{
	char text[ID_TEXT];

	store_connection_find(a->commands->broker->store, id_edge(id),
			      span_str(id_text(id, text)), on_row, a);
}

static void on_row(void *arg, enum err e, const struct connection_row *row)
{
	(void)row;
	finish(arg, e == ERR_NOTFOUND ? ERR_NOTFOUND : ERR_DOWN, NULL);
}

/* The command to be filled, for the edge's link; NULL when its credit is used up. */
static Gatepost__Command *begin_at(struct asked *a, struct edge_link *p, size_t bytes)
{
	Gatepost__Command *m = edge_link_command(p, bytes);

	if (m == NULL) {
		a->known = ERR_BUSY;
		loop_defer(a->commands->broker->loop, on_next_turn, a);
		return NULL;
	}
	a->edge = edge_link_ref(p);
	m->ticket = a->ticket;
	return m;
}

/* The command to be filled; NULL when it went another way. */
static Gatepost__Command *begin(struct commands *c, const struct id *id, size_t bytes,
				command_fn *fn, void *arg)
{
	struct asked *a = ask(c, fn, arg);
	struct edge_link *p = edges_find(c->broker->edges, id_edge(id));
	Gatepost__Command *m = p ? begin_at(a, p, bytes) : NULL;

	if (p == NULL)
		ask_store(a, id);
	else if (m == NULL) /* a bulk counts its own, one for each connection */
		metric_add(c->broker->counts.full, 1);
	if (m != NULL)
		m->id = batch_copy(&edge_link_out(p)->out, id_span(id));
	return m;
}

static struct batch *out(struct commands *c, uint16_t edge)
{
	return &edge_link_out(edges_find(c->broker->edges, edge))->out;
}

static void fill_send(Gatepost__Command *m, struct batch *b, const struct push *push)
{
	m->kind = GATEPOST__COMMAND__KIND__SEND;
	m->frame = arena_alloc(&b->arena, sizeof *m->frame);
	gatepost__frame__init(m->frame);
	m->frame->body = batch_copy(b, push->body);
	m->frame->binary = push->binary;
}

void command_send(struct commands *c, const struct id *id, const struct push *push,
		  command_fn *fn, void *arg)
{
	Gatepost__Command *m = begin(c, id, push->body.n, fn, arg);

	metric_add(c->broker->counts.sends, 1);
	if (m != NULL)
		fill_send(m, out(c, id_edge(id)), push);
}

bool command_send_many(struct commands *c, uint16_t edge, struct span ids,
		       const struct push *push, command_fn *fn, void *arg)
{
	struct edge_link *p = edges_find(c->broker->edges, edge);
	Gatepost__Command *m;

	if (p == NULL)
		return false;
	m = begin_at(ask(c, fn, arg), p, push->body.n);
	metric_add(c->broker->counts.sends, (int64_t)(ids.n / ID_BYTES));
	if (m != NULL) {
		m->ids = batch_copy(&edge_link_out(p)->out, ids);
		fill_send(m, &edge_link_out(p)->out, push);
	}
	return true;
}

bool command_know(struct commands *c, uint16_t edge, struct span ids, command_fn *fn,
		  void *arg)
{
	struct edge_link *p = edges_find(c->broker->edges, edge);
	Gatepost__Command *m;

	if (p == NULL)
		return false;
	m = begin_at(ask(c, fn, arg), p, 0);
	if (m != NULL) {
		m->kind = GATEPOST__COMMAND__KIND__KNOW;
		m->ids = batch_copy(&edge_link_out(p)->out, ids);
	}
	return true;
}

void command_close(struct commands *c, const struct id *id, uint16_t code,
		   const char *reason, command_fn *fn, void *arg)
{
	Gatepost__Command *m = begin(c, id, 0, fn, arg);

	metric_add(c->broker->counts.closes, 1);
	if (m == NULL)
		return;
	m->kind = GATEPOST__COMMAND__KIND__CLOSE;
	m->code = code;
	m->reason = batch_copy(out(c, id_edge(id)), span_str(reason));
}

void command_look(struct commands *c, const struct id *id, command_fn *fn, void *arg)
{
	Gatepost__Command *m = begin(c, id, 0, fn, arg);

	metric_add(c->broker->counts.looks, 1);
	if (m != NULL)
		m->kind = GATEPOST__COMMAND__KIND__LOOK;
}

void commands_outcome(struct commands *c, struct edge_link *from,
		      const Gatepost__Outcome *o)
{
	struct asked *a = map_find(c->by_ticket, span_of(&o->ticket, sizeof o->ticket));

	if (a == NULL || a->edge != from)
		return; /* too late: its asker has had an answer */
	switch ((int)o->result) {
	case GATEPOST__OUTCOME__RESULT__GONE:
		metric_add(c->broker->counts.gone, 1);
		finish(a, ERR_NOTFOUND, o);
		return;
	case GATEPOST__OUTCOME__RESULT__FULL:
		metric_add(c->broker->counts.full, 1);
		finish(a, ERR_BUSY, o);
		return;
	default: finish(a, OK, o);
	}
}

void commands_lost(struct commands *c, struct edge_link *p)
{
	struct asked *a;

	for (size_t at = 0; (a = map_next(c->by_ticket, &at)) != NULL;)
		if (a->edge == p)
			a->until_ms =
				0; /* the next tick tells: never from inside somebody's call */
}

static void tick(void *arg)
{
	struct commands *c = arg;
	int64_t now = loop_now(c->broker->loop);
	struct asked *a;

	for (size_t at = 0; (a = map_next(c->by_ticket, &at)) != NULL;)
		if (a->edge != NULL && now >= a->until_ms) {
			metric_add(c->broker->counts.unanswered, 1);
			finish(a, ERR_DOWN, NULL);
		}
}

void commands_forget(struct commands *c, void *arg)
{
	struct asked *a;

	for (size_t at = 0; (a = map_next(c->by_ticket, &at)) != NULL;)
		if (a->arg == arg)
			a->fn = NULL;
}
