#include "fake_commands.h"

#include <criterion/criterion.h>
#include <stdio.h>

struct commands fake_commands;

static struct command *add(struct commands *c, enum command_kind kind,
			   const struct id *id, command_fn *fn, void *arg)
{
	struct command *m = &c->all[c->n++];

	cr_assert(c == &fake_commands && c->n <= COMMANDS_MOST);
	*m = (struct command){.kind = kind, .fn = fn, .arg = arg};
	if (id != NULL)
		m->id = *id;
	return m;
}

static void set_body(struct command *m, const struct push *push)
{
	m->body_n = push->body.n;
	m->binary = push->binary;
	snprintf(m->body, sizeof m->body, "%.*s", SPAN_ARG(push->body));
}

struct command *command_send(struct commands *c, const struct id *id,
			     const struct push *push, command_fn *fn, void *arg)
{
	struct command *m = add(c, COMMAND_SEND, id, fn, arg);

	set_body(m, push);
	return m;
}

struct command *command_send_many(struct commands *c, uint16_t edge, struct span ids,
				  const struct push *push, command_fn *fn, void *arg)
{
	struct command *m;

	if (c->unlinked)
		return NULL;
	m = add(c, COMMAND_SEND_MANY, NULL, fn, arg);
	set_body(m, push);
	m->edge = edge;
	m->n_ids = ids.n / ID_BYTES;
	return m;
}

struct command *command_close(struct commands *c, const struct id *id, uint16_t code,
			      const char *reason, command_fn *fn, void *arg)
{
	struct command *m = add(c, COMMAND_CLOSE, id, fn, arg);

	m->code = code;
	snprintf(m->reason, sizeof m->reason, "%s", reason);
	return m;
}

struct command *command_get(struct commands *c, const struct id *id, command_fn *fn,
			    void *arg)
{
	return add(c, COMMAND_LOOK, id, fn, arg);
}

static void print_action(struct command *m, const Gatepost__Action *a)
{
	char *at = m->body + strlen(m->body);
	size_t room = sizeof m->body - strlen(m->body);
	const char *comma = m->body[0] ? ", " : "";

	switch ((int)a->body_case) {
	case GATEPOST__ACTION__BODY_TEXT:
		snprintf(at, room, "%stext %.*s", comma, SPAN_ARG(span_from(a->text)));
		break;
	case GATEPOST__ACTION__BODY_ACTIVATE:
		snprintf(at, room, "%sactivate %.*s %d", comma,
			 SPAN_ARG(span_from(a->activate->channel)),
			 (int)a->activate->position->offset);
		break;
	case GATEPOST__ACTION__BODY_UNSUBSCRIBE:
		snprintf(at, room, "%sunsubscribe %.*s", comma,
			 SPAN_ARG(span_from(a->unsubscribe->channel)));
		break;
	default: cr_assert_fail("another action");
	}
}

struct command *command_apply(struct commands *c, const struct id *id, size_t bytes,
			      command_fill_fn *fill, void *filler, command_fn *fn,
			      void *arg)
{
	struct command *m = add(c, COMMAND_APPLY, id, fn, arg);
	Gatepost__Command item = GATEPOST__COMMAND__INIT;
	struct batch b;

	(void)bytes;
	batch_init(&b);
	fill(filler, &b, &item);
	for (size_t i = 0; i < item.n_actions; i++)
		print_action(m, item.actions[i]);
	batch_close(&b);
	return m;
}

void commands_each_edge(const struct commands *c, edges_fn *fn, void *arg)
{
	for (uint16_t i = 0; i < 2; i++)
		if (c->edges[i] != NULL)
			fn(arg, i + 1, c->edges[i]);
}

struct command *command_shed(struct commands *c, uint16_t edge, uint32_t count,
			     command_fn *fn, void *arg)
{
	struct command *m = add(c, COMMAND_SHED, NULL, fn, arg);

	m->edge = edge;
	m->code = (uint16_t)count;
	return m;
}

void command_cancel(struct command *m)
{
	cr_assert(!m->is_over && !m->is_cancelled);
	m->is_cancelled = true;
}

void commands_count(struct commands *c, size_t gone, size_t full)
{
	c->gone += gone;
	c->full += full;
}

void fake_commands_end(size_t i, enum err e, const Gatepost__Outcome *o)
{
	struct command *m = &fake_commands.all[i];

	cr_assert(i < fake_commands.n && !m->is_over && !m->is_cancelled);
	m->is_over = true;
	m->fn(m->arg, e, o);
}
