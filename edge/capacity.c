#include "edge/capacity.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>

enum { LOOK_MS = 250, AGAIN_PERCENT = 95 };

/* What can be used up. */
enum kind { CONNECTIONS, MEMORY, KINDS };

struct capacity {
	struct capacity_uses uses;
	struct timer *timer;
	int64_t most[KINDS]; /* 0: no limit */
	bool is_full[KINDS];
	char *reasons[KINDS];
};

static const char *const names[KINDS] = {"connections", "memory"};

static void look(void *arg);

static int64_t ask_full(void *arg)
{
	return capacity_missing(arg) != NULL;
}

struct capacity *capacity_new(const struct limits_given *given,
			      const struct capacity_uses *uses)
{
	struct capacity *c = xcalloc(1, sizeof *c);
	struct limits l = limits_of(given);

	c->uses = *uses;
	c->most[CONNECTIONS] = l.connections;
	c->reasons[CONNECTIONS] =
		xasprintf("full: %u connections, the maximum by %s", l.connections, l.by);
	c->reasons[MEMORY] = xstrdup("full: the memory of the cgroup is used up");
	c->most[MEMORY] = given->memory - given->memory / 10;
	c->timer = timer_new(uses->loop, look, c);
	timer_every(c->timer, LOOK_MS);
	if (uses->metrics != NULL)
		metric_asked_gauge(
			uses->metrics, "gatepost_edge_full", NULL,
			"1: not ready, since connections or memory are used up", ask_full,
			c);
	return c;
}

void capacity_free(struct capacity *c)
{
	if (c == NULL)
		return;
	timer_free(c->timer);
	for (int i = 0; i < KINDS; i++)
		free(c->reasons[i]);
	free(c);
}

static void check(struct capacity *c, enum kind kind, int64_t used)
{
	int64_t most = c->most[kind];

	if (most == 0)
		return;
	if (!c->is_full[kind] && used >= most) {
		c->is_full[kind] = true;
		log_warn("edge.full", S("what", names[kind]), I("used", used),
			 I("most", most),
			 S("hint", "add edges; it is ready again at 95 %"));
	} else if (c->is_full[kind] && used <= most * AGAIN_PERCENT / 100) {
		c->is_full[kind] = false;
		log_info("edge.full.over", S("what", names[kind]), I("used", used),
			 I("most", most));
	}
}

static void look(void *arg)
{
	struct capacity *c = arg;
	const struct capacity_uses *uses = &c->uses;

	uint32_t n = uses->connections(uses->arg);

	check(c, CONNECTIONS, n);
	check(c, MEMORY, uses->resident() + (int64_t)n * LIMITS_KERNEL_BYTES);
}

const char *capacity_missing(const struct capacity *c)
{
	for (int i = 0; i < KINDS; i++)
		if (c->is_full[i])
			return c->reasons[i];
	return NULL;
}
