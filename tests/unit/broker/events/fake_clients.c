#include "fake_clients.h"

#include "broker/channels/presence/presence.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct {
	struct client_event event;
	char chosen[400];
	client_fn *fn; /* NULL: nothing waits */
	void *arg;
} waiting;

static void wait_for(const struct client_event *e, client_fn *fn, void *arg)
{
	cr_assert(waiting.fn == NULL, "two at a time");
	waiting.event = *e;
	waiting.chosen[0] = '\0';
	waiting.fn = fn;
	waiting.arg = arg;
}

void client_handle(struct clients *c, const struct client_event *e, client_fn *fn,
		   void *arg)
{
	(void)c;
	wait_for(e, fn, arg);
}

void client_do(struct clients *c, const struct client_event *e, struct span text,
	       const struct client_todo *todos, size_t n, client_fn *fn, void *arg)
{
	static const char *const verbs[] = {
		[VERB_SUBSCRIBE] = "subscribe", [VERB_PUBLISH] = "publish"};
	size_t at = 0;

	(void)c;
	wait_for(e, fn, arg);
	for (size_t i = 0; i < n; i++) {
		cr_assert(todos[i].v.raw.p >= text.p &&
			  todos[i].v.raw.p + todos[i].v.raw.n <= text.p + text.n);
		at += (size_t)snprintf(waiting.chosen + at, sizeof waiting.chosen - at,
				       "%s %.*s; ", verbs[todos[i].verb],
				       SPAN_ARG(todos[i].v.raw));
	}
}

const struct client_event *fake_clients_event(void)
{
	cr_assert(waiting.fn != NULL, "nothing waits");
	return &waiting.event;
}

const char *fake_clients_chosen(void)
{
	cr_assert(waiting.fn != NULL, "nothing waits");
	return waiting.chosen;
}

void fake_clients_answer(const struct action *actions, size_t n,
			 const struct failure *failure)
{
	client_fn *fn = waiting.fn;

	cr_assert(fn != NULL, "nothing waits");
	waiting.fn = NULL;
	fn(waiting.arg, actions, n, failure);
}

bool fake_clients_is_idle(void)
{
	return waiting.fn == NULL;
}

static struct {
	char channels[200];
	presence_fn *fn; /* of the last */
	void *arg;
} leaves;

void presence_leave(struct presence *p, struct span channel, const struct id *id,
		    presence_fn *fn, void *arg)
{
	size_t at = strlen(leaves.channels);

	(void)p;
	(void)id;
	snprintf(leaves.channels + at, sizeof leaves.channels - at, "%.*s;",
		 SPAN_ARG(channel));
	leaves.fn = fn;
	leaves.arg = arg;
}

const char *fake_clients_leaves(void)
{
	return leaves.channels;
}

void fake_clients_left(const struct failure *failure)
{
	leaves.fn(leaves.arg, failure);
}

void fake_clients_reset(void)
{
	leaves.channels[0] = '\0';
	waiting.fn = NULL;
}
