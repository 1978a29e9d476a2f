#include "base/metric.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

static char text[16384];

static const char *printed(const struct metrics *m)
{
	struct evbuffer *out = evbuffer_new();

	metrics_print(m, out);

	ev_ssize_t n = evbuffer_remove(out, text, sizeof text - 1);

	text[n > 0 ? n : 0] = '\0';
	evbuffer_free(out);
	return text;
}

static int64_t seven(void *arg)
{
	(void)arg;
	return 7;
}

Test(metric, one_name_is_one_group_whatever_the_order_of_making)
{
	struct metrics *m = metrics_new();
	struct metric *text_frames =
		metric_counter(m, "a_total", "kind=\"text\"", "All a.");

	metric_set(metric_gauge(m, "b", NULL, "Some b."), -2);
	metric_add(metric_counter(m, "a_total", "kind=\"binary\"", "All a."), 5);
	metric_add(text_frames, 1);
	metric_add(text_frames, 2);
	metric_asked_gauge(m, "c", NULL, "A c.", seven, NULL);
	cr_assert(eq(str, (char *)printed(m),
		     "# HELP a_total All a.\n"
		     "# TYPE a_total counter\n"
		     "a_total{kind=\"text\"} 3\n"
		     "a_total{kind=\"binary\"} 5\n"
		     "# HELP b Some b.\n"
		     "# TYPE b gauge\n"
		     "b -2\n"
		     "# HELP c A c.\n"
		     "# TYPE c gauge\n"
		     "c 7\n"));
	metrics_free(m);
}

Test(metric, a_histogram_counts_up_through_its_buckets)
{
	struct metrics *m = metrics_new();
	struct metric *k = metric_seconds(m, "wait_seconds", "route=\"x\"", "Waiting.");

	metric_add(k, 100); /* the end belongs to the bucket */
	metric_add(k, 101);
	metric_add(k, 20000000); /* slower than the last */
	printed(m);
	cr_assert(strstr(text, "wait_seconds_bucket{route=\"x\",le=\"0.0001\"} 1\n") !=
		  NULL);
	cr_assert(strstr(text, "wait_seconds_bucket{route=\"x\",le=\"0.00025\"} 2\n") !=
		  NULL);
	cr_assert(strstr(text, "wait_seconds_bucket{route=\"x\",le=\"10\"} 2\n") != NULL);
	cr_assert(strstr(text, "wait_seconds_bucket{route=\"x\",le=\"+Inf\"} 3\n") !=
		  NULL);
	cr_assert(strstr(text, "wait_seconds_sum{route=\"x\"} 20.000201\n") != NULL);
	cr_assert(strstr(text, "wait_seconds_count{route=\"x\"} 3\n") != NULL);
	metrics_free(m);
}

Test(metric, the_process_says_what_it_uses)
{
	struct metrics *m = metrics_new();

	metrics_add_process(m);
	printed(m);
	cr_assert(strstr(text, "\nprocess_resident_memory_bytes 0\n") == NULL);
	cr_assert(strstr(text, "\nprocess_resident_memory_bytes ") != NULL);
	cr_assert(strstr(text, "\nprocess_cpu_seconds_total 0.") != NULL);
	cr_assert(strstr(text, "\nprocess_start_time_seconds 1") != NULL);
	cr_assert(strstr(text, "\nprocess_open_fds ") != NULL);
	cr_assert(strstr(text, "\nprocess_max_fds ") != NULL);
	metrics_free(m);
}

Test(metric, without_a_collector_nothing_is_counted)
{
	struct metric *k = metric_counter(NULL, "a_total", NULL, "All a.");

	metric_add(k, 1);
	metric_set(k, 1);
	metric_asked_gauge(NULL, "c", NULL, "A c.", seven, NULL);
	cr_assert(eq(i64, metric_value(k), 0));
	metrics_free(NULL);
}
