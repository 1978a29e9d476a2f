/*
 * The generator of load: opens WebSocket connections, lets each send messages and
 * checks every answer byte by byte, closes them with code 1000, and looks at the
 * servers' CPU time and memory between these steps. Exit status 1 when anything
 * went wrong, 2 for settings that make no sense.
 */
#include "bench/crew.h"
#include "bench/plan.h"
#include "bench/ready.h"
#include "bench/report.h"

#include <time.h>

static void wait_ms(int64_t ms)
{
	struct timespec left = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&left, NULL);
}

/* The steps, and a look at the servers before and after each. */
static enum err run(struct crew *crew, struct usage_table *u, struct report *r)
{
	enum err e = usage_look(u, USAGE_BEFORE);

	if (e == OK)
		e = crew_step(crew, &r->open_us);
	if (e == OK)
		e = usage_look(u, USAGE_OPEN);
	if (e == OK)
		e = crew_step(crew, &r->talk_us);
	if (e == OK)
		e = usage_look(u, USAGE_ANSWERED);
	if (e != OK)
		return e;
	wait_ms(r->plan->hold_ms);
	e = usage_look(u, USAGE_HELD);
	if (e == OK)
		e = crew_step(crew, &r->close_us);
	if (e != OK)
		return e;
	wait_ms(r->plan->settle_ms);
	return usage_look(u, USAGE_CLOSED);
}

/* Where to, and which processes to look at. */
static enum err find_servers(struct plan *p, struct usage_table *u)
{
	enum err e = OK;

	if (p->pids_from != NULL)
		e = ready_read(p->pids_from, u, &p->url);
	if (e == OK && p->pids != NULL)
		e = usage_add_pids(u, p->pids);
	return e == OK ? target_parse(p->url, &p->target) : e;
}

int main(int argc, char **argv)
{
	static struct usage_table usage;
	static struct report report;
	struct plan plan = {0};
	enum err e = plan_load(&plan, argc, argv);

	if (e != OK)
		return e == ERR_EXIT ? 0 : 2;
	if (find_servers(&plan, &usage) != OK)
		return 2;

	struct crew *crew = crew_new(&plan, &usage);
	if (crew == NULL)
		return 1;
	report = (struct report){.plan = &plan, .usage = &usage};
	report.complete = run(crew, &usage, &report) == OK;
	crew_tally(crew, &report.tally);
	crew_free(crew);
	(plan.json ? report_json : report_lines)(&report);
	return report_is_clean(&report) ? 0 : 1;
}
