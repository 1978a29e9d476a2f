#include "broker/cluster/commands.h"

#include "base/map.h"
#include "base/mem.h"
#include "store/connections.h"

#include <stdlib.h>
#include <sys/queue.h>

enum {
	TICK_MS = 100,
	SUBSCRIBE_MS =
		5000, /* the edge may wait two beats for brokers that are not linked */
};

struct command {
	uint64_t ticket; /* the key */
	struct commands *commands;
	struct edge_link *edge; /* NULL: the store is asked, or the answer is due */
	command_fn *fn;         /* NULL: cancelled */
	void *arg;
	int64_t until_ms;
	enum err known;             /* the answer that is due */
	STAILQ_ENTRY(command) next; /* of those that are due */
};

STAILQ_HEAD(command_list, command);

struct commands {
	struct loop *loop;
	struct store *store;
	struct edges *edges;
	int64_t timeout_ms;
	struct map *by_ticket;
	struct timer *timer;
	struct command_list due; /* answered on the next turn: never from inside a call */
	struct timer *next_turn;
	uint64_t last_ticket;
	struct metric *sends, *closes, *looks, *subscribes, *unsubscribes, *applies,
		*sheds;
	struct metric *gone, *full, *unanswered;
};

static void tick(void *arg);
static void answer_due(void *arg);
static void on_row(void *arg, enum err e, const struct connection_row *row);

static struct metric *asked(struct metrics *m, const char *labels)
{
	return metric_counter(m, "gatepost_broker_commands_total", labels,
			      "Commands to edges");
}

static struct metric *failed(struct metrics *m, const char *labels)
{
	return metric_counter(m, "gatepost_broker_commands_failed_total", labels,
			      "Commands to edges that failed");
}

struct commands *commands_new(struct loop *loop, struct store *st, struct edges *edges,
			      struct metrics *m, int64_t timeout_ms)
{
	struct commands *c = xcalloc(1, sizeof *c);

	c->loop = loop;
	c->store = st;
	c->edges = edges;
	c->timeout_ms = timeout_ms;
	c->by_ticket = map_new();
	c->timer = timer_new(loop, tick, c);
	timer_every(c->timer, TICK_MS);
	STAILQ_INIT(&c->due);
	c->next_turn = timer_new(loop, answer_due, c);
	c->sends = asked(m, "kind=\"send\"");
	c->closes = asked(m, "kind=\"close\"");
	c->looks = asked(m, "kind=\"look\"");
	c->subscribes = asked(m, "kind=\"subscribe\"");
	c->unsubscribes = asked(m, "kind=\"unsubscribe\"");
	c->applies = asked(m, "kind=\"apply\"");
	c->sheds = asked(m, "kind=\"shed\"");
	c->gone = failed(m, "why=\"gone\"");
	c->full = failed(m, "why=\"full\"");
	c->unanswered = failed(m, "why=\"unanswered\"");
	return c;
}

static void command_free(struct command *m)
{
	map_remove(m->commands->by_ticket, span_of(&m->ticket, sizeof m->ticket));
	if (m->edge != NULL)
		edge_link_unref(m->edge);
	free(m);
}

void commands_free(struct commands *c)
{
	struct command *m;

	if (c == NULL)
		return;
	for (size_t at = 0; (m = map_next(c->by_ticket, &at)) != NULL;)
		command_free(m);
	map_free(c->by_ticket);
	timer_free(c->timer);
	timer_free(c->next_turn);
	free(c);
}

static void finish(struct command *m, enum err e, const Gatepost__Outcome *o)
{
	command_fn *fn = m->fn;
	void *arg = m->arg;

	command_free(m);
	if (fn != NULL)
		fn(arg, e, o);
}

static struct command *command_new(struct commands *c, command_fn *fn, void *arg)
{
	struct command *m = xcalloc(1, sizeof *m);

	m->commands = c;
	m->ticket = ++c->last_ticket;
	m->fn = fn;
	m->arg = arg;
	m->until_ms = loop_now(c->loop) + c->timeout_ms;
	map_put(c->by_ticket, span_of(&m->ticket, sizeof m->ticket), m);
	return m;
}

/* Complete it with e; an Outcome of the edge from now on is too late. */
static void make_due(struct command *m, enum err e)
{
	if (m->edge != NULL)
		edge_link_unref(m->edge);
	m->edge = NULL;
	m->known = e;
	STAILQ_INSERT_TAIL(&m->commands->due, m, next);
	timer_after(m->commands->next_turn, 0);
}

/* Those that are due now; what is asked for meanwhile is for the next turn. */
static void answer_due(void *arg)
{
	struct commands *c = arg;
	struct command_list due = STAILQ_HEAD_INITIALIZER(due);
	struct command *m;

	STAILQ_CONCAT(&due, &c->due);
	while ((m = STAILQ_FIRST(&due)) != NULL) {
		STAILQ_REMOVE_HEAD(&due, next);
		finish(m, m->known, NULL);
	}
}

/* No link to that edge: has it gone, or is it only not linked to us yet? The table knows. */
static void ask_store(struct command *m, const struct id *id)
{
	char text[ID_TEXT];

	store_connection_find(m->commands->store, id_edge(id),
			      span_str(id_text(id, text)), on_row, m);
}

static void on_row(void *arg, enum err e, const struct connection_row *row)
{
	(void)row;
	finish(arg, e == ERR_NOTFOUND ? ERR_NOTFOUND : ERR_DOWN, NULL);
}

/* The item for the edge, to be filled; NULL when its credit is used up. */
static Gatepost__Command *begin_at(struct command *m, struct edge_link *edge,
				   size_t bytes)
{
	Gatepost__Command *item = edge_link_command(edge, bytes);

	if (item == NULL) {
		make_due(m, ERR_BUSY);
		return NULL;
	}
	m->edge = edge_link_ref(edge);
	item->ticket = m->ticket;
	return item;
}

/* The item to be filled; NULL when the store is asked, or the credit is used up. */
static Gatepost__Command *begin(struct command *m, const struct id *id, size_t bytes)
{
	struct commands *c = m->commands;
	struct edge_link *edge = edges_find(c->edges, id_edge(id));
	Gatepost__Command *item = edge ? begin_at(m, edge, bytes) : NULL;

	if (edge == NULL)
		ask_store(m, id);
	else if (item == NULL) /* a bulk counts its own, one for each connection */
		metric_add(c->full, 1);
	if (item != NULL)
		item->id = batch_copy(&edge_link_out(edge)->out, id_span(id));
	return item;
}

static struct batch *out(struct command *m)
{
	return &edge_link_out(m->edge)->out;
}

static void fill_send(Gatepost__Command *item, struct batch *b, const struct push *push)
{
	item->kind = GATEPOST__COMMAND__KIND__SEND;
	item->frame = proto_arena_alloc(&b->arena, sizeof *item->frame);
	gatepost__frame__init(item->frame);
	item->frame->body = batch_copy(b, push->body);
	item->frame->binary = push->binary;
}

struct command *command_send(struct commands *c, const struct id *id,
			     const struct push *push, command_fn *fn, void *arg)
{
	struct command *m = command_new(c, fn, arg);
	Gatepost__Command *item = begin(m, id, push->body.n);

	metric_add(c->sends, 1);
	if (item != NULL)
		fill_send(item, out(m), push);
	return m;
}

struct command *command_send_many(struct commands *c, uint16_t edge, struct span ids,
				  const struct push *push, command_fn *fn, void *arg)
{
	struct edge_link *at = edges_find(c->edges, edge);
	struct command *m;
	Gatepost__Command *item;

	if (at == NULL)
		return NULL;
	m = command_new(c, fn, arg);
	item = begin_at(m, at, push->body.n);
	metric_add(c->sends, (int64_t)(ids.n / ID_BYTES));
	if (item != NULL) {
		item->ids = batch_copy(out(m), ids);
		fill_send(item, out(m), push);
	}
	return m;
}

struct command *command_query(struct commands *c, uint16_t edge, struct span ids,
			      struct span channel, command_fn *fn, void *arg)
{
	struct edge_link *at = edges_find(c->edges, edge);
	struct command *m;
	Gatepost__Command *item;

	if (at == NULL)
		return NULL;
	m = command_new(c, fn, arg);
	item = begin_at(m, at, 0);
	if (item != NULL) {
		item->kind = GATEPOST__COMMAND__KIND__KNOW;
		item->ids = batch_copy(out(m), ids);
		item->channel = batch_copy(out(m), channel);
	}
	return m;
}

struct command *command_close(struct commands *c, const struct id *id, uint16_t code,
			      const char *reason, command_fn *fn, void *arg)
{
	struct command *m = command_new(c, fn, arg);
	Gatepost__Command *item = begin(m, id, 0);

	metric_add(c->closes, 1);
	if (item == NULL)
		return m;
	item->kind = GATEPOST__COMMAND__KIND__CLOSE;
	item->code = code;
	item->reason = batch_copy(out(m), span_str(reason));
	return m;
}

struct command *command_get(struct commands *c, const struct id *id, command_fn *fn,
			    void *arg)
{
	struct command *m = command_new(c, fn, arg);
	Gatepost__Command *item = begin(m, id, 0);

	metric_add(c->looks, 1);
	if (item != NULL)
		item->kind = GATEPOST__COMMAND__KIND__LOOK;
	return m;
}

struct command *command_look_at(struct commands *c, const struct id *id,
				struct span channel, command_fn *fn, void *arg)
{
	struct command *m = command_new(c, fn, arg);
	Gatepost__Command *item = begin(m, id, 0);

	metric_add(c->looks, 1);
	if (item == NULL)
		return m;
	item->kind = GATEPOST__COMMAND__KIND__LOOK;
	item->channel = batch_copy(out(m), channel);
	return m;
}

struct command *command_subscribe(struct commands *c, const struct id *id,
				  command_fill_fn *fill, void *filler, command_fn *fn,
				  void *arg)
{
	struct command *m = command_new(c, fn, arg);
	Gatepost__Command *item = begin(m, id, 0);

	metric_add(c->subscribes, 1);
	if (m->until_ms < loop_now(c->loop) + SUBSCRIBE_MS)
		m->until_ms = loop_now(c->loop) + SUBSCRIBE_MS;
	if (item == NULL)
		return m;
	item->kind = GATEPOST__COMMAND__KIND__SUBSCRIBE;
	fill(filler, out(m), item);
	return m;
}

struct command *command_unsubscribe(struct commands *c, const struct id *id,
				    struct span channel, command_fn *fn, void *arg)
{
	struct command *m = command_new(c, fn, arg);
	Gatepost__Command *item = begin(m, id, 0);

	metric_add(c->unsubscribes, 1);
	if (item == NULL)
		return m;
	item->kind = GATEPOST__COMMAND__KIND__UNSUBSCRIBE;
	item->channel = batch_copy(out(m), channel);
	return m;
}

struct command *command_apply(struct commands *c, const struct id *id, size_t bytes,
			      command_fill_fn *fill, void *filler, command_fn *fn,
			      void *arg)
{
	struct command *m = command_new(c, fn, arg);
	Gatepost__Command *item = begin(m, id, bytes);

	metric_add(c->applies, 1);
	if (item == NULL)
		return m;
	item->kind = GATEPOST__COMMAND__KIND__APPLY;
	fill(filler, out(m), item);
	return m;
}

void commands_each_edge(const struct commands *c, edges_fn *fn, void *arg)
{
	edges_each(c->edges, fn, arg);
}

struct command *command_shed(struct commands *c, uint16_t edge, uint32_t count,
			     command_fn *fn, void *arg)
{
	struct edge_link *at = edges_find(c->edges, edge);
	struct command *m = command_new(c, fn, arg);
	Gatepost__Command *item = NULL;

	metric_add(c->sheds, count > 0);
	if (at == NULL)
		make_due(m, ERR_DOWN);
	else
		item = begin_at(m, at, 0);
	if (item == NULL)
		return m;
	item->kind = GATEPOST__COMMAND__KIND__SHED;
	item->count = count;
	return m;
}

void command_cancel(struct command *m)
{
	m->fn = NULL;
}

void commands_count(struct commands *c, size_t gone, size_t full)
{
	metric_add(c->gone, (int64_t)gone);
	metric_add(c->full, (int64_t)full);
}

void commands_outcome(struct commands *c, struct edge_link *from,
		      const Gatepost__Outcome *o)
{
	struct command *m = map_find(c->by_ticket, span_of(&o->ticket, sizeof o->ticket));

	if (m == NULL || m->edge != from)
		return; /* too late: its asker has had an answer */
	switch ((int)o->result) {
	case GATEPOST__OUTCOME__RESULT__GONE:
		metric_add(c->gone, 1);
		finish(m, ERR_NOTFOUND, o);
		return;
	case GATEPOST__OUTCOME__RESULT__FULL:
		metric_add(c->full, 1);
		finish(m, ERR_BUSY, o);
		return;
	default: finish(m, OK, o);
	}
}

static void fail_unanswered(struct command *m)
{
	metric_add(m->commands->unanswered, 1);
	make_due(m, ERR_DOWN);
}

void commands_lost(struct commands *c, struct edge_link *edge)
{
	struct command *m;

	for (size_t at = 0; (m = map_next(c->by_ticket, &at)) != NULL;)
		if (m->edge == edge)
			fail_unanswered(m);
}

static void tick(void *arg)
{
	struct commands *c = arg;
	int64_t now = loop_now(c->loop);
	struct command *m;

	for (size_t at = 0; (m = map_next(c->by_ticket, &at)) != NULL;)
		if (m->edge != NULL && now >= m->until_ms)
			fail_unanswered(m);
}
