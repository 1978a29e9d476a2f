#include "broker/members.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/ring.h"
#include "broker/fences.h"
#include "broker/edges.h"
#include "broker/reaper.h"
#include "broker/resync.h"
#include "store/members.h"

#include <event2/util.h>
#include <stdlib.h>

struct members {
	struct broker *broker;
	struct timer *timer;
	bool is_asking, has_left;
	char cluster[40];
	int64_t seen_ms; /* when the store said so last */
	struct members_row *rows;
	size_t n;
	struct ring *homes; /* of the edges: the rows' boot ids */
};

static void beat(void *arg);
static void on_view(void *arg, enum err e, const struct members_view *v);

struct members *members_new(struct broker *b)
{
	struct members *m = xcalloc(1, sizeof *m);

	m->broker = b;
	m->homes = ring_new();
	m->timer = timer_new(b->loop, beat, m);
	return m;
}

int64_t members_beat_ms(const struct members *m)
{
	return m->broker->conf.member_ms / 5;
}

void members_start(struct members *m)
{
	timer_every(m->timer, members_beat_ms(m));
	beat(m);
}

void members_beat(struct members *m)
{
	beat(m);
}

static void beat(void *arg)
{
	struct members *m = arg;
	struct broker *b = m->broker;
	struct member self = {
		.name = span_str(b->conf.name),
		.boot = span_str(b->boot_text),
		.endpoint = span_str(edges_endpoint(b->edges)),
	};
	uint64_t random[2];
	char proposed[40];

	if (m->is_asking || m->has_left || !store_is_up(b->store))
		return;
	evutil_secure_rng_get_bytes(random, sizeof random);
	snprintf(proposed, sizeof proposed, "%016llx%016llx",
		 (unsigned long long)random[0], (unsigned long long)random[1]);
	m->is_asking = true;
	store_members_beat(b->store, &self, proposed, b->conf.member_ms, on_view, m);
}

static void copy(char *to, size_t n, struct span from)
{
	snprintf(to, n, "%.*s", SPAN_ARG(from));
}

static struct members_row *rows_of(const struct members_view *v)
{
	struct members_row *rows = xcalloc(v->n + 1, sizeof *rows);

	for (size_t i = 0; i < v->n; i++) {
		char boot[20];

		copy(rows[i].name, sizeof rows[i].name, v->members[i].name);
		copy(rows[i].endpoint, sizeof rows[i].endpoint, v->members[i].endpoint);
		copy(boot, sizeof boot, v->members[i].boot);
		rows[i].boot = strtoull(boot, NULL, 16);
	}
	return rows;
}

/*
 * Did this broker still have the memory from before while others had this one? Then it may
 * have written there what is missing here: Redis has had two masters.
 */
static bool was_left_behind(const struct members *m, const struct members_view *v)
{
	struct broker *b = m->broker;
	int64_t lost_ms = store_lost_ms(b->store);

	return lost_ms >= m->seen_ms && lost_ms >= loop_now(b->loop) - v->age_ms;
}

/* Another id than before: what was written last may be gone, and the edges know it best. */
static void look_at_cluster(struct members *m, const struct members_view *v)
{
	bool changed = m->cluster[0] != '\0' && !span_is(v->cluster, m->cluster);

	copy(m->cluster, sizeof m->cluster, v->cluster);
	if (!changed)
		return;
	if (was_left_behind(m, v))
		resync_doubt(m->broker->resync);
	log_warn("store.changed", S("cluster", m->cluster),
		 S("why", "Redis is another process now, or was emptied: the table is "
			  "compared with the edges"));
	edges_renew(m->broker->edges);
	reaper_wait(m->broker->reaper);
	reaper_hurry(m->broker->reaper);
}

static void settle_homes(struct members *m, const struct members_row *rows, size_t n)
{
	for (size_t i = 0; i < m->n; i++)
		ring_remove(m->homes, m->rows[i].boot);
	for (size_t i = 0; i < n; i++)
		ring_put(m->homes, rows[i].boot,
			 rows[i].boot == m->broker->boot ? m : NULL);
}

bool members_is_home(const struct members *m, uint16_t edge)
{
	return ring_pick(m->homes, edge) == m;
}

static void on_view(void *arg, enum err e, const struct members_view *v)
{
	struct members *m = arg;
	struct members_row *rows;
	bool same;

	m->is_asking = false;
	if (e != OK)
		return;
	look_at_cluster(m, v);
	fences_tell(m->broker->fences, m->cluster);
	m->seen_ms = loop_now(m->broker->loop);
	rows = rows_of(v);
	same = m->n == v->n && memcmp(m->rows, rows, m->n * sizeof *rows) == 0;
	if (!same)
		settle_homes(m, rows, v->n);
	free(m->rows);
	m->rows = rows;
	m->n = v->n;
	if (!same) {
		log_info("members", I("brokers", m->n));
		edges_tell_members(m->broker->edges);
	}
}

static void on_left(void *arg, enum err e)
{
	(void)arg;
	(void)e; /* without a store the lease lapses by itself */
}

void members_leave(struct members *m)
{
	m->has_left = true;
	timer_stop(m->timer);
	store_members_leave(m->broker->store, span_str(m->broker->boot_text), on_left,
			    NULL);
}

const struct members_row *members_rows(const struct members *m, size_t *n)
{
	*n = m->n;
	return m->rows;
}

const char *members_cluster(const struct members *m)
{
	return m->cluster;
}

void members_free(struct members *m)
{
	if (m == NULL)
		return;
	timer_free(m->timer);
	ring_free(m->homes);
	free(m->rows);
	free(m);
}
