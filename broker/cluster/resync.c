#include "broker/cluster/resync.h"

#include "base/log.h"
#include "base/map.h"
#include "base/mem.h"
#include "broker/cluster/reconcile.h"
#include "broker/cluster/row.h"
#include "proto/batch.h"
#include "store/leases.h"
#include "store/members.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	ANSWER_MS =
		10 *
		1000, /* for an edge to send all rows, and for the store to write them */
	/* After a reconciliation that was cut short; then twice as long each time. */
	AGAIN_MS = 1000,
};

/* What is asked of one edge. */
struct resync_edge {
	uint16_t edge; /* the key */
	struct resync *resync;
	uint64_t ticket; /* 0: nothing is asked */
	/* Rows of it may be missing, and the store has not recorded this yet. */
	bool is_doubted;
	char cluster[MEMBERS_CLUSTER];
	int64_t until_ms;
	size_t rows, putting;     /* received so far; writes without a reply */
	bool is_last, is_lacking; /* all rows were received; some could not be written */
	int64_t reconcile_ms;     /* when the next one is due */
	/* The last one was cut short: the pause before the next; 0: it was not. */
	int64_t again_ms;
};

struct resync {
	struct resync_uses uses;
	int64_t every_ms;
	struct map *by_edge;
	uint64_t last_ticket;
	struct reconcile *reconcile;
	struct metric *resyncs;
};

static void suspect_all(void *arg, bool left_behind);
static void ask(struct resync_edge *r, struct edge_link *edge);
static void on_put(void *arg, enum err e);
static void on_put_late(void *arg, enum err e);
static void check_done(struct resync_edge *r);
static void on_synced(void *arg, enum err e);
static void on_reconciled(void *arg, uint16_t edge, enum err e);

struct resync *resync_new(int64_t every_ms, const struct resync_uses *uses)
{
	struct resync *rs = xcalloc(1, sizeof *rs);

	rs->uses = *uses;
	rs->every_ms = every_ms;
	rs->by_edge = map_new();
	rs->reconcile = reconcile_new(uses->store, uses->commands, uses->metrics,
				      on_reconciled, rs);
	rs->resyncs = metric_counter(uses->metrics, "gatepost_broker_resyncs_total", NULL,
				     "Edges whose rows were written again by a resync");
	members_watch(uses->members,
		      &(struct members_watcher){.store_changed = suspect_all}, rs);
	return rs;
}

void resync_free(struct resync *rs)
{
	struct resync_edge *r;

	if (rs == NULL)
		return;
	for (size_t at = 0; (r = map_next(rs->by_edge, &at)) != NULL;)
		free(r);
	map_free(rs->by_edge);
	reconcile_free(rs->reconcile);
	free(rs);
}

static struct resync_edge *edge_of(struct resync *rs, uint16_t edge)
{
	struct resync_edge *r = map_find(rs->by_edge, span_of(&edge, sizeof edge));

	if (r != NULL)
		return r;
	r = xcalloc(1, sizeof *r);
	r->edge = edge;
	r->resync = rs;
	r->reconcile_ms = loop_now(rs->uses.loop) + rs->every_ms;
	map_put(rs->by_edge, span_of(&r->edge, sizeof r->edge), r);
	return r;
}

/*
 * Rows that this broker has put may be missing in the store, whatever is noted there: all
 * edges are to send theirs again, to any broker that checks them.
 */
static void suspect_all(void *arg, bool left_behind)
{
	struct resync *rs = arg;
	struct resync_edge *r;

	if (!left_behind)
		return;
	for (size_t at = 0; (r = map_next(rs->by_edge, &at)) != NULL;)
		r->is_doubted = true;
}

static void on_doubted(void *arg, enum err e)
{
	struct resync_edge *r = arg;

	r->is_doubted = r->is_doubted || e != OK;
}

/* In the store, since another broker may be nearer to that edge, or be there when this one is not. */
static void tell_doubt(struct resync_edge *r)
{
	r->is_doubted = false;
	store_edge_synced(r->resync->uses.store, r->edge, "", on_doubted, r);
}

static void reconcile(struct resync *rs, uint16_t edge)
{
	reconcile_begin(rs->reconcile, edge);
	rs->uses.reconcile(rs->uses.arg, edge);
}

void resync_check(struct resync *rs, uint16_t number, struct span synced)
{
	struct members *m = rs->uses.members;
	struct edge_link *edge = edges_find(rs->uses.edges, number);
	const char *cluster = members_cluster(m);
	int64_t now = loop_now(rs->uses.loop);
	struct resync_edge *r;

	if (cluster[0] == '\0')
		return;
	r = edge_of(rs, number);
	if (r->is_doubted) {
		tell_doubt(r);
		return;
	}
	if (edge == NULL || r->putting > 0 || (r->ticket != 0 && now < r->until_ms))
		return;
	if (!span_is(synced, cluster)) {
		ask(r, edge);
	} else if (now >= r->reconcile_ms &&
		   (r->again_ms > 0 || members_is_owner(m, number))) {
		r->reconcile_ms = now + rs->every_ms;
		reconcile(rs, number);
	}
}

static void ask(struct resync_edge *r, struct edge_link *edge)
{
	struct resync_uses *uses = &r->resync->uses;

	r->ticket = ++r->resync->last_ticket;
	r->until_ms = loop_now(uses->loop) + ANSWER_MS;
	r->rows = 0;
	r->is_last = r->is_lacking = false;
	snprintf(r->cluster, sizeof r->cluster, "%s", members_cluster(uses->members));
	edge_link_ask_resync(edge, r->ticket);
}

/* The rows of m that are the edge's; freed by the caller, with contexts and texts that they borrow from. */
struct rows {
	struct connection_row *rows;
	Gatepost__Context **contexts;
	char (*texts)[ID_TEXT];
	size_t n;
};

static struct rows rows_of(const struct resync *rs, uint16_t edge,
			   const Gatepost__Roster *m)
{
	const char *stage = rs->uses.stage(rs->uses.arg);
	struct rows all = {
		.rows = xcalloc(m->n_rows + 1, sizeof *all.rows),
		.contexts = xcalloc(m->n_rows + 1, sizeof *all.contexts),
		.texts = xcalloc(m->n_rows + 1, sizeof *all.texts),
	};

	for (size_t i = 0; i < m->n_rows; i++) {
		ProtobufCBinaryData packed = m->rows[i]->context;
		struct connection_row *row = &all.rows[all.n];
		struct id id;

		if (id_from(span_from(m->rows[i]->id), &id) != OK || id_edge(&id) != edge)
			continue;
		all.contexts[all.n] =
			gatepost__context__unpack(NULL, packed.len, packed.data);
		if (all.contexts[all.n] == NULL)
			continue;
		row_fill(row, all.contexts[all.n], span_from(packed), stage);
		row->id = span_str(id_text(&id, all.texts[all.n]));
		row->edge = edge;
		all.n++;
	}
	return all;
}

static void rows_close(struct rows *all)
{
	for (size_t i = 0; i < all->n; i++)
		gatepost__context__free_unpacked(all->contexts[i], NULL);
	free(all->contexts);
	free(all->texts);
	free(all->rows);
}

static void put_memberships(struct resync_edge *r, const Gatepost__Roster *m, bool asked)
{
	const struct resync_uses *uses = &r->resync->uses;
	struct id id;

	for (size_t i = 0; i < m->n_rows; i++) {
		const Gatepost__Roster__Row *row = m->rows[i];

		if (row->n_memberships == 0 || id_from(span_from(row->id), &id) != OK ||
		    id_edge(&id) != r->edge)
			continue;
		r->putting += asked;
		uses->memberships(uses->arg, row, asked ? on_put : on_put_late, r);
	}
}

void resync_receive(struct resync *rs, struct edge_link *from, const Gatepost__Roster *m)
{
	struct resync_edge *r = edge_of(rs, edge_link_number(from));
	bool asked = m->ticket != 0 && m->ticket == r->ticket;
	struct rows all = rows_of(rs, r->edge, m);

	if (asked) {
		r->rows += all.n;
		r->putting++;
		r->is_last = r->is_last || m->last;
	}
	store_connection_put_many(rs->uses.store, r->edge, edge_link_boot(from), all.rows,
				  all.n, asked ? on_put : on_put_late, r);
	rows_close(&all);
	put_memberships(r, m, asked);
}

static void on_put(void *arg, enum err e)
{
	struct resync_edge *r = arg;

	r->putting--;
	r->is_lacking = r->is_lacking || e != OK;
	check_done(r);
}

/* A row that came to be after the list was sent. If it is not put, all is asked for again. */
static void on_put_late(void *arg, enum err e)
{
	struct resync_edge *r = arg;

	r->is_doubted = r->is_doubted || e != OK;
}

/* What lacks is asked for again once the time of this one is over. */
static void check_done(struct resync_edge *r)
{
	struct resync_uses *uses = &r->resync->uses;

	if (!r->is_last || r->putting > 0)
		return;
	if (r->is_lacking) {
		log_warn("resync.failed", I("edge", r->edge), I("rows", r->rows),
			 S("why", "not all rows were written: retrying"));
		r->until_ms = loop_now(uses->loop) + 1000;
		return;
	}
	r->ticket = 0;
	if (r->rows > 0)
		log_info("resync.done", I("edge", r->edge), I("rows", r->rows));
	metric_add(r->resync->resyncs, 1);
	store_edge_synced(uses->store, r->edge, r->cluster, on_synced, NULL);
	reconcile(r->resync, r->edge);
}

/* If it was not noted, the next look finds the edge's rows unknown again. */
static void on_synced(void *arg, enum err e)
{
	(void)arg;
	(void)e;
}

/*
 * One that was cut short is begun again by this broker, which had begun it, once the edge has
 * its lease and a link (resync_check): soon at first, since perhaps only an answer was lost.
 */
static void on_reconciled(void *arg, uint16_t edge, enum err e)
{
	struct resync *rs = arg;
	struct resync_edge *r = edge_of(rs, edge);
	int64_t most = rs->every_ms;

	if (e == OK) {
		r->again_ms = 0;
		return;
	}
	r->again_ms = r->again_ms > 0 ? 2 * r->again_ms : AGAIN_MS;
	if (r->again_ms > most)
		r->again_ms = most;
	r->reconcile_ms = loop_now(rs->uses.loop) + r->again_ms;
}
