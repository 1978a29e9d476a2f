#include "edge/client/lanes.h"

#include "edge/channels/subscription.h"
#include "edge/client/answer.h"
#include "edge/client/command.h"
#include "edge/client/connection.h"
#include "edge/client/registry.h"

static struct lane *find(void *arg, const struct id *id)
{
	struct clients *clients = arg;
	struct connection *c = registry_find(clients->registry, id);

	return c != NULL ? &c->lane : NULL;
}

struct walk {
	uplink_lane_fn *fn;
	void *arg;
};

static void call_with_lane(void *arg, struct connection *c)
{
	const struct walk *w = arg;

	w->fn(w->arg, &c->lane);
}

static void each(void *arg, uplink_lane_fn *fn, void *fn_arg)
{
	struct clients *clients = arg;
	struct walk w = {fn, fn_arg};

	registry_each(clients->registry, 0, UINT32_MAX, call_with_lane, &w);
}

static void memberships(void *arg, struct lane *l, uplink_membership_fn *fn, void *fn_arg)
{
	(void)arg;
	subscription_memberships(&connection_of(l)->subscriber, fn, fn_arg);
}

static uint32_t count(void *arg)
{
	const struct clients *clients = arg;

	return registry_count(clients->registry);
}

static void on_answer(void *arg, struct lane *l, const struct lane_event *e,
		      const Gatepost__Answer *a)
{
	(void)arg;
	(void)e;
	answer_send(connection_of(l), a);
}

static void on_poisoned(void *arg, struct lane *l, const struct lane_event *e)
{
	(void)arg;
	answer_send_error(connection_of(l), e);
}

static void on_done(void *arg, struct lane *l, uint32_t bytes)
{
	(void)arg;
	connection_event_done(connection_of(l), bytes);
}

static void on_wait_changed(void *arg, struct lane *l)
{
	(void)arg;
	connection_update(connection_of(l));
}

static void on_command(void *arg, struct broker_link *from, const Gatepost__Command *m)
{
	command_execute(arg, from, m);
}

static void end_fenced(void *arg, struct connection *c)
{
	(void)arg;
	connection_end(c, CAUSE_FENCED, NULL);
}

static void on_fenced(void *arg)
{
	struct clients *clients = arg;

	registry_each(clients->registry, 0, UINT32_MAX, end_fenced, NULL);
}

const struct uplink_callbacks lanes_callbacks = {
	.find = find,
	.each = each,
	.memberships = memberships,
	.count = count,
	.answer = on_answer,
	.poisoned = on_poisoned,
	.done = on_done,
	.wait_changed = on_wait_changed,
	.command = on_command,
	.fenced = on_fenced,
};
