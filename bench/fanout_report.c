#include "bench/fanout_report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

static uint64_t troubles(const struct fanout_report *r)
{
	uint64_t sum = 0;

	for (int t = 0; t < FANOUT_TROUBLES; t++)
		sum += r->counts.troubles[t];
	return sum;
}

bool fanout_report_is_clean(const struct fanout_report *r)
{
	return r->complete && troubles(r) == 0;
}

static double per(int64_t what, uint64_t n)
{
	return n == 0 ? 0 : (double)what / (double)n;
}

static double cpu_each(const struct fanout_report *r, const char *role)
{
	return per(usage_cpu_us(r->usage, role, USAGE_SUBSCRIBED, USAGE_PUBLISHED),
		   r->measured);
}

static double a_second(const struct fanout_report *r)
{
	return r->took_us == 0 ? 0 : (double)r->measured * 1e6 / (double)r->took_us;
}

static uint64_t subscriptions(const struct fanout_report *r)
{
	return (uint64_t)(r->plan->channels * r->plan->subscribers);
}

static double rss_each(const struct fanout_report *r, const char *role)
{
	return per(usage_rss(r->usage, role, USAGE_SUBSCRIBED) -
			   usage_rss(r->usage, role, USAGE_OPEN),
		   subscriptions(r));
}

void fanout_report_lines(const struct fanout_report *r)
{
	const struct histogram *h = r->times;

	printf("bench-fanout: %" PRId64 " channel(s), %" PRId64
	       " subscriber(s) of each, %" PRId64 " publisher(s), %" PRId64
	       " in flight, %" PRId64 " bytes each\n",
	       r->plan->channels, r->plan->subscribers, r->plan->publishers,
	       r->plan->in_flight, r->plan->size);
	printf("published  %" PRIu64 ", acknowledged %" PRIu64 ", refused %" PRIu64 "\n",
	       r->counts.published, r->counts.acked, r->counts.refused);
	printf("delivered  %" PRIu64 "; measured: %" PRIu64 " in %.2f s, %.0f/s; ms: "
	       "p50 %.2f  p99 %.2f  most %.2f\n",
	       r->counts.delivered, r->measured, (double)r->took_us / 1e6, a_second(r),
	       (double)histogram_at(h, 0.5) / 1e3, (double)histogram_at(h, 0.99) / 1e3,
	       (double)h->most / 1e3);
	printf("errors     %" PRIu64 "%s\n", troubles(r),
	       r->complete ? "" : ", and the run did not come to its end");
	for (enum fanout_trouble t = 0; t < FANOUT_TROUBLES; t++)
		if (r->counts.troubles[t] > 0)
			printf("           %-14s %" PRIu64 "\n", fanout_trouble_name(t),
			       r->counts.troubles[t]);
	for (size_t i = 0; i < r->usage->n; i++) {
		const struct usage_process *p = &r->usage->processes[i];

		printf("%-10s %.2f CPU-us a delivery\n", p->name,
		       per(p->at[USAGE_PUBLISHED].cpu_us - p->at[USAGE_SUBSCRIBED].cpu_us,
			   r->measured));
	}
	printf("servers    %.2f CPU-us a delivery; %.0f bytes of RSS a subscription\n",
	       cpu_each(r, NULL), rss_each(r, NULL));
}

static json_t *json_of_troubles(const struct fanout_report *r)
{
	json_t *all = json_object();

	for (enum fanout_trouble t = 0; t < FANOUT_TROUBLES; t++)
		if (r->counts.troubles[t] > 0)
			json_object_set_new(
				all, fanout_trouble_name(t),
				json_integer((json_int_t)r->counts.troubles[t]));
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

void fanout_report_json(const struct fanout_report *r)
{
	const struct fanout_counts *c = &r->counts;
	json_t *root = json_pack(
		"{s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:I, s:I, s:I, s:o, s:f, "
		"s:f, s:o}",
		"clean", fanout_report_is_clean(r), "complete", r->complete,
		"subscriptions", (json_int_t)subscriptions(r), "published",
		(json_int_t)c->published, "acknowledged", (json_int_t)c->acked, "refused",
		(json_int_t)c->refused, "delivered", (json_int_t)c->delivered, "measured",
		(json_int_t)r->measured, "seconds", (double)r->took_us / 1e6, "p50_us",
		(json_int_t)histogram_at(r->times, 0.5), "p99_us",
		(json_int_t)histogram_at(r->times, 0.99), "most_us",
		(json_int_t)r->times->most, "errors", json_of_troubles(r),
		"cpu_us_per_delivery", cpu_each(r, NULL), "rss_per_subscription",
		rss_each(r, NULL), "processes", json_of_processes(r->usage));

	json_dumpf(root, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(root);
}
