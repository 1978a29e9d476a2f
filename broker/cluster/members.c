#include "broker/cluster/members.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/ring.h"
#include "store/members.h"

#include <event2/util.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

struct watcher {
	STAILQ_ENTRY(watcher) next;
	struct members_watcher on;
	void *arg;
};

struct members {
	struct loop *loop;
	struct store *store;
	struct members_conf conf;
	const char *endpoint; /* NULL: not started */
	STAILQ_HEAD(, watcher) watchers;
	struct timer *timer;
	struct timer *soon; /* a beat between those of timer */
	bool is_asking, has_left;
	bool is_due; /* a beat was asked for while one was under way */
	int64_t beats,
		answered; /* the number of the last one, and of the last one that was answered */
	int64_t asked_ms;             /* when the last beat was sent */
	int64_t known_ms;             /* and the last one that was answered */
	struct edge_set ours, others; /* edges linked to this broker, and to the others */
	char cluster[MEMBERS_CLUSTER];
	int64_t seen_ms; /* when the store listed it last */
	struct members_row *rows;
	size_t n;
	struct ring *owners; /* of the edges: the rows' boot ids */
};

enum { SOON_SHARE = 10 }; /* beats are not closer than this part of their interval */

static void beat(void *arg);
static void on_view(void *arg, enum err e, const struct members_view *v);

struct members *members_new(struct loop *loop, struct store *st,
			    const struct members_conf *conf)
{
	struct members *m = xcalloc(1, sizeof *m);

	m->loop = loop;
	m->store = st;
	m->conf = *conf;
	m->owners = ring_new();
	STAILQ_INIT(&m->watchers);
	m->timer = timer_new(loop, beat, m);
	m->soon = timer_new(loop, beat, m);
	return m;
}

void members_watch(struct members *m, const struct members_watcher *on, void *arg)
{
	struct watcher *w = xcalloc(1, sizeof *w);

	w->on = *on;
	w->arg = arg;
	STAILQ_INSERT_TAIL(&m->watchers, w, next);
}

int64_t members_beat_ms(const struct members *m)
{
	return m->conf.member_ms / 5;
}

void members_start(struct members *m, const char *endpoint)
{
	m->endpoint = endpoint;
	timer_every(m->timer, members_beat_ms(m));
	beat(m);
}

void members_beat(struct members *m)
{
	beat(m);
}

void members_beat_soon(struct members *m)
{
	int64_t wait_ms =
		m->asked_ms + members_beat_ms(m) / SOON_SHARE - loop_now(m->loop);

	if (m->is_asking)
		m->is_due = true;
	else
		timer_after(m->soon, wait_ms > 0 ? wait_ms : 0);
}

void members_link(struct members *m, uint16_t number, bool linked)
{
	if (edge_set_has(&m->ours, number) == linked)
		return;
	if (linked)
		edge_set_put(&m->ours, number);
	else
		edge_set_remove(&m->ours, number);
	members_beat_soon(m);
}

const struct edge_set *members_linked(const struct members *m)
{
	return &m->others;
}

int64_t members_seen_ms(const struct members *m)
{
	return m->known_ms;
}

static const char *boot_text(const struct members *m, char out[17])
{
	snprintf(out, 17, "%016llx", (unsigned long long)m->conf.boot);
	return out;
}

static void beat(void *arg)
{
	struct members *m = arg;
	char boot[17], proposed[40], *edges;
	uint64_t random[2];
	struct member self = {.name = span_str(m->conf.name)};

	if (m->endpoint == NULL || m->is_asking || m->has_left || !store_is_up(m->store))
		return;
	self.boot = span_str(boot_text(m, boot));
	self.endpoint = span_str(m->endpoint);
	evutil_secure_rng_get_bytes(random, sizeof random);
	snprintf(proposed, sizeof proposed, "%016llx%016llx",
		 (unsigned long long)random[0], (unsigned long long)random[1]);
	edges = edge_set_text(&m->ours);
	self.edges = span_str(edges);
	self.beat = ++m->beats;
	self.answered = m->answered;
	self.cluster = span_str(m->cluster);
	m->is_asking = true;
	m->asked_ms = loop_now(m->loop);
	store_members_beat(m->store, &self, proposed, m->conf.member_ms, on_view, m);
	free(edges);
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
	int64_t lost_ms = store_lost_ms(m->store);

	return lost_ms >= m->seen_ms && lost_ms >= loop_now(m->loop) - v->age_ms;
}

/* Texts that cannot be read, of another version, name no edges. */
static void read_edges(struct members *m, const struct members_view *v,
		       const struct members_row *rows)
{
	m->others = (struct edge_set){.words = {0}};
	for (size_t i = 0; i < v->n; i++)
		if (rows[i].boot != m->conf.boot &&
		    !edge_set_read(&m->others, v->members[i].edges))
			log_warn_flood("members.malformed", S("broker", rows[i].name));
}

/* Another id than before: what was written last may be gone, and the edges know it best. */
static void check_cluster(struct members *m, const struct members_view *v)
{
	bool changed = m->cluster[0] != '\0' && !span_is(v->cluster, m->cluster);
	bool left_behind = changed && was_left_behind(m, v);
	struct watcher *w;

	copy(m->cluster, sizeof m->cluster, v->cluster);
	if (!changed)
		return;
	log_warn("store.changed", S("cluster", m->cluster),
		 S("why",
		   "Redis was restarted or emptied, or has older data: the table is "
		   "reconciled with the edges"));
	STAILQ_FOREACH (w, &m->watchers, next)
		if (w->on.store_changed != NULL)
			w->on.store_changed(w->arg, left_behind);
}

static void update_owners(struct members *m, const struct members_row *rows, size_t n)
{
	for (size_t i = 0; i < m->n; i++)
		ring_remove(m->owners, m->rows[i].boot);
	for (size_t i = 0; i < n; i++)
		ring_put(m->owners, rows[i].boot,
			 rows[i].boot == m->conf.boot ? m : NULL);
}

bool members_is_owner(const struct members *m, uint16_t edge)
{
	return ring_pick(m->owners, edge) == m;
}

static void on_view(void *arg, enum err e, const struct members_view *v)
{
	struct members *m = arg;
	struct members_row *rows;
	struct watcher *w;
	bool same;

	m->is_asking = false;
	if (m->is_due) {
		m->is_due = false;
		members_beat_soon(m);
	}
	if (e != OK)
		return;
	check_cluster(m, v);
	m->seen_ms = loop_now(m->loop);
	m->known_ms = m->asked_ms;
	m->answered = m->beats;
	rows = rows_of(v);
	read_edges(m, v, rows);
	STAILQ_FOREACH (w, &m->watchers, next)
		if (w->on.beat != NULL)
			w->on.beat(w->arg);
	same = m->n == v->n &&
	       (v->n == 0 || memcmp(m->rows, rows, v->n * sizeof *rows) == 0);
	if (!same)
		update_owners(m, rows, v->n);
	free(m->rows);
	m->rows = rows;
	m->n = v->n;
	if (same)
		return;
	log_info("members", I("brokers", m->n));
	STAILQ_FOREACH (w, &m->watchers, next)
		if (w->on.changed != NULL)
			w->on.changed(w->arg);
}

static void on_left(void *arg, enum err e)
{
	(void)arg;
	(void)e; /* without a store the entry expires by itself */
}

void members_leave(struct members *m)
{
	char boot[17];

	m->has_left = true;
	timer_stop(m->timer);
	timer_stop(m->soon);
	store_members_leave(m->store, span_str(boot_text(m, boot)), on_left, NULL);
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
	struct watcher *w;

	if (m == NULL)
		return;
	while ((w = STAILQ_FIRST(&m->watchers)) != NULL) {
		STAILQ_REMOVE_HEAD(&m->watchers, next);
		free(w);
	}
	timer_free(m->timer);
	timer_free(m->soon);
	ring_free(m->owners);
	free(m->rows);
	free(m);
}
