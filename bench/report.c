#include "bench/report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

bool report_is_clean(const struct report *r)
{
	uint64_t clients = (uint64_t)r->plan->connections;

	return r->complete && tally_troubles(&r->tally) == 0 &&
	       r->tally.opened == clients && r->tally.closed == clients &&
	       r->tally.answered == clients * (uint64_t)r->plan->messages;
}

static double per(int64_t what, uint64_t n)
{
	return n == 0 ? 0 : (double)what / (double)n;
}

static bool has_servers(const struct report *r)
{
	return r->usage->n > (size_t)r->plan->processes;
}

/* The role whose memory grows with the connections: the edges, or whatever was named by --pids. */
static const char *holders(const struct report *r)
{
	return usage_rss(r->usage, "edge", USAGE_BEFORE) > 0 ? "edge" : "server";
}

static double bytes_each(const struct report *r, enum usage_moment m)
{
	return per(usage_rss(r->usage, holders(r), m) -
			   usage_rss(r->usage, holders(r), USAGE_BEFORE),
		   r->tally.opened);
}

static double cpu_each(const struct report *r, const char *role)
{
	return per(usage_cpu_us(r->usage, role, USAGE_OPEN, USAGE_ANSWERED),
		   r->tally.answered);
}

static void line_of_step(const char *name, uint64_t n, int64_t us,
			 const struct histogram *h)
{
	double s = (double)us / 1e6;

	printf("%-10s%" PRIu64
	       " in %.2f s, %.0f/s; ms: p50 %.2f  p90 %.2f  p99 %.2f  p99.9 %.2f  "
	       "most %.2f\n",
	       name, n, s, s > 0 ? (double)n / s : 0, (double)histogram_at(h, 0.5) / 1e3,
	       (double)histogram_at(h, 0.9) / 1e3, (double)histogram_at(h, 0.99) / 1e3,
	       (double)histogram_at(h, 0.999) / 1e3, (double)h->most / 1e3);
}

static void lines_of_troubles(const struct tally *t)
{
	if (tally_troubles(t) == 0) {
		printf("errors    none\n");
		return;
	}
	printf("errors    %" PRIu64 "\n", tally_troubles(t));
	for (enum trouble k = 0; k < TROUBLES; k++)
		if (t->troubles[k] > 0)
			printf("          %-14s%" PRIu64 "\n", tally_trouble_name(k),
			       t->troubles[k]);
	for (unsigned i = 0; i < TALLY_STATUSES; i++)
		if (t->by_status[i] > 0)
			printf("          HTTP %-9u%" PRIu32 "\n", i, t->by_status[i]);
	for (unsigned i = 0; i < TALLY_CODES; i++)
		if (t->by_close[i] > 0)
			printf("          code %-9u%" PRIu32 "\n", i, t->by_close[i]);
}

static void lines_of_processes(const struct report *r)
{
	printf("\n%-16s %8s   RSS in KiB: %9s %9s %9s %9s %9s   CPU-us/message\n",
	       "process", "pid", "before", "open", "answered", "held", "closed");
	for (size_t i = 0; i < r->usage->n; i++) {
		const struct usage_process *p = &r->usage->processes[i];

		printf("%-16s %8d               ", p->name, (int)p->pid);
		for (int m = 0; m < USAGE_MOMENTS; m++)
			printf("%9" PRId64 " ", p->at[m].rss / 1024);
		printf("%16.2f\n",
		       per(p->at[USAGE_ANSWERED].cpu_us - p->at[USAGE_OPEN].cpu_us,
			   r->tally.answered));
	}
}

void report_lines(const struct report *r)
{
	const struct tally *t = &r->tally;

	printf("bench-load: %" PRId64 " connections to %s, %" PRId64
	       " messages of %" PRId64 " bytes each, %" PRId64 " in flight\n",
	       r->plan->connections, r->plan->url, r->plan->messages, r->plan->size,
	       r->plan->in_flight);
	line_of_step("connect", t->opened, r->open_us, &t->connect);
	line_of_step("echo", t->answered, r->talk_us, &t->echo);
	line_of_step("close", t->closed, r->close_us, &t->close);
	lines_of_troubles(t);
	lines_of_processes(r);
	if (!has_servers(r))
		return;
	printf("\nservers: %.2f CPU-us/message; %.0f bytes of RSS a connection (%s), "
	       "%.0f after the "
	       "messages; generator: %.2f CPU-us/message\n",
	       cpu_each(r, NULL), bytes_each(r, USAGE_OPEN), holders(r),
	       bytes_each(r, USAGE_HELD), cpu_each(r, "load"));
}

static json_t *json_of_step(uint64_t n, int64_t us, const struct histogram *h)
{
	return json_pack(
		"{s:I, s:f, s:I, s:I, s:I, s:I, s:I}", "count", (json_int_t)n, "seconds",
		(double)us / 1e6, "p50_us", (json_int_t)histogram_at(h, 0.5), "p90_us",
		(json_int_t)histogram_at(h, 0.9), "p99_us",
		(json_int_t)histogram_at(h, 0.99), "p999_us",
		(json_int_t)histogram_at(h, 0.999), "most_us", (json_int_t)h->most);
}

static void count(json_t *into, const char *name, uint64_t n)
{
	if (n > 0)
		json_object_set_new(into, name, json_integer((json_int_t)n));
}

static json_t *json_of_troubles(const struct tally *t)
{
	json_t *all = json_object();
	char name[32];

	for (enum trouble k = 0; k < TROUBLES; k++)
		count(all, tally_trouble_name(k), t->troubles[k]);
	for (unsigned i = 0; i < TALLY_STATUSES; i++) {
		snprintf(name, sizeof name, "http %u", i);
		count(all, name, t->by_status[i]);
	}
	for (unsigned i = 0; i < TALLY_CODES; i++) {
		snprintf(name, sizeof name, "code %u", i);
		count(all, name, t->by_close[i]);
	}
	return all;
}

static json_t *json_of_processes(const struct usage_table *t)
{
	json_t *all = json_array();

	for (size_t i = 0; i < t->n; i++) {
		const struct usage_process *p = &t->processes[i];
		json_t *rss = json_array(), *cpu = json_array();

		for (int m = 0; m < USAGE_MOMENTS; m++) {
			json_array_append_new(rss, json_integer(p->at[m].rss));
			json_array_append_new(cpu, json_integer(p->at[m].cpu_us));
		}
		json_array_append_new(all,
				      json_pack("{s:s, s:s, s:i, s:o, s:o}", "name",
						p->name, "role", p->role, "pid",
						(int)p->pid, "rss", rss, "cpu_us", cpu));
	}
	return all;
}

void report_json(const struct report *r)
{
	const struct tally *t = &r->tally;
	json_t *root = json_pack(
		"{s:b, s:I, s:o, s:o, s:o, s:o, s:f, s:f, s:f, s:f, s:o}", "clean",
		report_is_clean(r), "connections", (json_int_t)r->plan->connections,
		"connect", json_of_step(t->opened, r->open_us, &t->connect), "echo",
		json_of_step(t->answered, r->talk_us, &t->echo), "close",
		json_of_step(t->closed, r->close_us, &t->close), "errors",
		json_of_troubles(t), "cpu_us_per_message", cpu_each(r, NULL),
		"generator_cpu_us_per_message", cpu_each(r, "load"), "rss_per_connection",
		bytes_each(r, USAGE_OPEN), "rss_per_connection_held",
		bytes_each(r, USAGE_HELD), "processes", json_of_processes(r->usage));

	json_dumpf(root, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(root);
}
