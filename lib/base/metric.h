#ifndef BASE_METRIC_H
#define BASE_METRIC_H

/*
 * Counters, gauges and histograms of this process, printed in Prometheus' text
 * format. A metric is made once, at start, and counts with one addition.
 *
 * source  https://prometheus.io/docs/instrumenting/exposition_formats/ (version 0.0.4)
 */

#include <event2/buffer.h>
#include <stdint.h>

struct metrics; /* all of a process */
struct metrics *metrics_new(void);
void metrics_free(struct metrics *m); /* NULL is fine; frees every metric of it */

struct metric;

/*
 * name    "gatepost_edge_messages_total"; the same name may come again with other labels,
 *         and with the same labels it is the same metric
 * labels  "kind=\"text\"" without braces, or NULL
 * help    one sentence; taken from the first of a name
 * m       NULL: metrics are off, and NULL is returned
 * owns    the metrics own it; strings are copied
 */
struct metric *metric_counter(struct metrics *m, const char *name, const char *labels,
			      const char *help);
struct metric *metric_gauge(struct metrics *m, const char *name, const char *labels,
			    const char *help);

/* A gauge or counter that is asked when it is printed. */
typedef int64_t metric_ask_fn(void *arg);
void metric_asked_gauge(struct metrics *m, const char *name, const char *labels,
			const char *help, metric_ask_fn *fn, void *arg);
void metric_asked_counter(struct metrics *m, const char *name, const char *labels,
			  const char *help, metric_ask_fn *fn, void *arg);

/* Seconds in buckets of 1, 2.5, 5 × 10^n from 100 µs to 10 s; metric_add takes microseconds. */
struct metric *metric_seconds(struct metrics *m, const char *name, const char *labels,
			      const char *help);

/* NULL is fine, so that modules under test need no metrics. */
void metric_add(struct metric *k, int64_t n);
void metric_set(struct metric *k, int64_t n);
int64_t metric_value(const struct metric *k);

/* Resident memory of this process in bytes; 0 if /proc cannot be read. */
int64_t metrics_resident(void);

/* Process metrics under the usual names: process_resident_memory_bytes, process_cpu_seconds_total, process_open_fds, process_max_fds, process_start_time_seconds. */
void metrics_add_process(struct metrics *m);

/* All of it, grouped by name, in the order of making. */
void metrics_print(const struct metrics *m, struct evbuffer *out);

#endif
