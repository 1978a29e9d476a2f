/*
 * The generator of load for channels: opens WebSocket connections, subscribes them,
 * publishes, and checks that each subscriber gets each publication once and in order.
 * Looks at the servers' CPU time and memory between these steps. Exit status 1 when
 * anything went wrong, 2 for settings that make no sense.
 */
#include "bench/fanout_report.h"
#include "bench/peer.h"
#include "bench/ready.h"

#include <sys/resource.h>
#include <time.h>

static enum err look(struct fanout_run *run, struct usage_table *u, enum usage_moment m,
		     int64_t wait_ms)
{
	fanout_run_wait(run, wait_ms);
	return usage_look(u, m);
}

static enum err publish(struct fanout_run *run, struct usage_table *u,
			struct fanout_report *r)
{
	const struct fanout_counts *c = fanout_book_counts(fanout_run_book(run));

	if (!fanout_run_publish(run, r->plan->warm_up) ||
	    look(run, u, USAGE_SUBSCRIBED, r->plan->hold_ms) != OK)
		return ERR_DOWN;
	fanout_run_begin_times(run);

	uint64_t before = c->delivered;
	int64_t from_us = peer_now_us();
	bool whole = fanout_run_publish(run, r->plan->publications);

	r->took_us = peer_now_us() - from_us;
	r->measured = c->delivered - before;
	if (look(run, u, USAGE_PUBLISHED, r->plan->hold_ms) != OK || !whole)
		return ERR_DOWN;
	return OK;
}

/* The steps, and a look at the servers before and after each. */
static enum err steps(struct fanout_run *run, struct usage_table *u,
		      struct fanout_report *r)
{
	const struct fanout_plan *p = r->plan;
	enum err e = usage_look(u, USAGE_BEFORE);

	if (e == OK && !fanout_run_connect(run))
		e = ERR_DOWN;
	if (e == OK)
		e = look(run, u, USAGE_OPEN, p->hold_ms);
	if (e == OK && p->subscribe && !fanout_run_subscribe(run))
		e = ERR_DOWN;
	if (e == OK)
		e = publish(run, u, r);
	fanout_book_end(fanout_run_book(run), p->protocol != FANOUT_FLOOR);
	if (e == OK && !fanout_run_close(run))
		e = ERR_DOWN;
	if (e == OK)
		e = look(run, u, USAGE_CLOSED, p->settle_ms);
	return e;
}

/* Where to, and which processes to look at. */
static enum err find_servers(struct fanout_plan *p, struct usage_table *u)
{
	enum err e = OK;

	if (p->pids_from != NULL)
		e = ready_read(p->pids_from, u, &p->url);
	if (e == OK && p->pids != NULL)
		e = usage_add_pids(u, p->pids);
	return e == OK ? target_parse(p->url, &p->target) : e;
}

/* As many descriptors as the hard limit lets us have. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
	static struct usage_table usage;
	struct fanout_plan plan = {0};
	enum err e = fanout_plan_load(&plan, argc, argv);

	if (e != OK)
		return e == ERR_EXIT ? 0 : 2;
	if (find_servers(&plan, &usage) != OK)
		return 2;
	raise_descriptors();

	struct fanout_run *run = fanout_run_new(&plan);
	struct fanout_report report = {
		.plan = &plan, .usage = &usage, .times = fanout_run_times(run)};

	report.complete = steps(run, &usage, &report) == OK;
	report.counts = *fanout_book_counts(fanout_run_book(run));
	(plan.json ? fanout_report_json : fanout_report_lines)(&report);
	fanout_run_free(run);
	return fanout_report_is_clean(&report) ? 0 : 1;
}
