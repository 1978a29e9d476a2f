#include "base/metric.h"

#include "base/clock.h"
#include "base/descriptors.h"
#include "base/mem.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum type { COUNTER, GAUGE, HISTOGRAM };

static const char *const type_names[] = {
	[COUNTER] = "counter",
	[GAUGE] = "gauge",
	[HISTOGRAM] = "histogram",
};

/* Upper ends in microseconds. */
static const int64_t buckets[] = {100,     250,     500,     1000,    2500,   5000,
				  10000,   25000,   50000,   100000,  250000, 500000,
				  1000000, 2500000, 5000000, 10000000};
enum { BUCKETS = sizeof buckets / sizeof *buckets };

struct metric {
	struct metric *next; /* of the same name */
	char *labels;        /* "" for none */
	int64_t value;       /* a histogram's sum, in microseconds */
	uint64_t *counts;    /* a histogram's: BUCKETS, and one for what is slower */
	metric_ask_fn *fn;
	void *arg;
};

/* All metrics of one name. */
struct family {
	struct family *next;
	char *name, *help;
	enum type type;
	bool micro; /* values are in microseconds and printed in seconds */
	struct metric *first;
};

struct metrics {
	struct family *first;
};

struct metrics *metrics_new(void)
{
	return xcalloc(1, sizeof(struct metrics));
}

static void family_free(struct family *f)
{
	while (f->first) {
		struct metric *k = f->first;

		f->first = k->next;
		free(k->labels);
		free(k->counts);
		free(k);
	}
	free(f->name);
	free(f->help);
	free(f);
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	while (m->first) {
		struct family *f = m->first;

		m->first = f->next;
		family_free(f);
	}
	free(m);
}

/* The family of that name, made as like if there was none. */
static struct family *family_get(struct metrics *m, const struct family *like)
{
	struct family **at = &m->first;

	while (*at && strcmp((*at)->name, like->name) != 0)
		at = &(*at)->next;
	if (!*at) {
		*at = xmalloc(sizeof **at);
		**at = *like;
		(*at)->name = xstrdup(like->name);
		(*at)->help = xstrdup(like->help);
	}
	assert((*at)->type == like->type);
	return *at;
}

/* A metric, at the end of its family when it is new; NULL if metrics are off. */
static struct metric *add(struct metrics *m, const struct family *like,
			  const char *labels)
{
	if (!m)
		return NULL;

	struct metric **at = &family_get(m, like)->first;

	if (!labels)
		labels = "";
	for (; *at; at = &(*at)->next)
		if (strcmp((*at)->labels, labels) == 0)
			return *at;
	*at = xcalloc(1, sizeof **at);
	(*at)->labels = xstrdup(labels);
	return *at;
}

/* Families are only copied from these, so the strings are not written to. */
static struct family like(const char *name, const char *help, enum type type, bool micro)
{
	return (struct family){
		.name = (char *)(uintptr_t)name,
		.help = (char *)(uintptr_t)help,
		.type = type,
		.micro = micro,
	};
}

struct metric *metric_counter(struct metrics *m, const char *name, const char *labels,
			      const char *help)
{
	struct family f = like(name, help, COUNTER, false);

	return add(m, &f, labels);
}

struct metric *metric_gauge(struct metrics *m, const char *name, const char *labels,
			    const char *help)
{
	struct family f = like(name, help, GAUGE, false);

	return add(m, &f, labels);
}

static void ask(struct metric *k, metric_ask_fn *fn, void *arg)
{
	if (!k)
		return;
	k->fn = fn;
	k->arg = arg;
}

void metric_asked_gauge(struct metrics *m, const char *name, const char *labels,
			const char *help, metric_ask_fn *fn, void *arg)
{
	ask(metric_gauge(m, name, labels, help), fn, arg);
}

void metric_asked_counter(struct metrics *m, const char *name, const char *labels,
			  const char *help, metric_ask_fn *fn, void *arg)
{
	ask(metric_counter(m, name, labels, help), fn, arg);
}

struct metric *metric_seconds(struct metrics *m, const char *name, const char *labels,
			      const char *help)
{
	struct family f = like(name, help, HISTOGRAM, true);
	struct metric *k = add(m, &f, labels);

	if (k && !k->counts)
		k->counts = xcalloc(BUCKETS + 1, sizeof *k->counts);
	return k;
}

static void observe(struct metric *k, int64_t us)
{
	size_t i = 0;

	while (i < BUCKETS && us > buckets[i])
		i++;
	k->counts[i]++;
}

void metric_add(struct metric *k, int64_t n)
{
	if (!k)
		return;
	k->value += n;
	if (k->counts)
		observe(k, n);
}

void metric_set(struct metric *k, int64_t n)
{
	if (!k)
		return;
	assert(!k->counts && !k->fn);
	k->value = n;
}

int64_t metric_value(const struct metric *k)
{
	if (!k)
		return 0;
	return k->fn ? k->fn(k->arg) : k->value;
}

int64_t metrics_resident(void)
{
	FILE *in = fopen("/proc/self/statm", "re");
	long pages = 0;

	if (!in)
		return 0;
	if (fscanf(in, "%*d %ld", &pages) != 1)
		pages = 0;
	fclose(in);
	return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static int64_t ask_resident(void *arg)
{
	(void)arg;
	return metrics_resident();
}

static int64_t ask_cpu_us(void *arg)
{
	struct timespec t;

	(void)arg;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t ask_open_fds(void *arg)
{
	(void)arg;
	return descriptors_open();
}

static int64_t ask_max_fds(void *arg)
{
	(void)arg;
	return descriptors_limit();
}

void metrics_add_process(struct metrics *m)
{
	struct family cpu =
		like("process_cpu_seconds_total",
		     "CPU time used by all threads, user and system.", COUNTER, true);
	struct family start = like("process_start_time_seconds",
				   "When the process started, since 1970.", GAUGE, true);

	ask(add(m, &cpu, NULL), ask_cpu_us, NULL);
	metric_set(add(m, &start, NULL), clock_wall_ms() * 1000);
	metric_asked_gauge(m, "process_resident_memory_bytes", NULL, "Resident memory.",
			   ask_resident, NULL);
	metric_asked_gauge(m, "process_open_fds", NULL, "Open file descriptors.",
			   ask_open_fds, NULL);
	metric_asked_gauge(m, "process_max_fds", NULL, "Limit of open file descriptors.",
			   ask_max_fds, NULL);
}

/* "name{labels}"; suffix and the last label are a histogram's. */
static void print_name(const struct family *f, const struct metric *k, const char *suffix,
		       const char *last, struct evbuffer *out)
{
	const char *comma = *k->labels && *last ? "," : "";
	bool bare = !*k->labels && !*last;

	evbuffer_add_printf(out, bare ? "%s%s%s%s%s " : "%s%s{%s%s%s} ", f->name, suffix,
			    k->labels, comma, last);
}

static void print_value(const struct family *f, int64_t n, struct evbuffer *out)
{
	if (f->micro)
		evbuffer_add_printf(out, "%s%" PRId64 ".%06" PRId64 "\n",
				    n < 0 ? "-" : "", (n < 0 ? -n : n) / 1000000,
				    (n < 0 ? -n : n) % 1000000);
	else
		evbuffer_add_printf(out, "%" PRId64 "\n", n);
}

static void print_histogram(const struct family *f, const struct metric *k,
			    struct evbuffer *out)
{
	uint64_t sum = 0;

	for (size_t i = 0; i <= BUCKETS; i++) {
		char last[32] = "le=\"+Inf\"";

		if (i < BUCKETS)
			snprintf(last, sizeof last, "le=\"%g\"",
				 (double)buckets[i] / 1e6);
		sum += k->counts[i];
		print_name(f, k, "_bucket", last, out);
		evbuffer_add_printf(out, "%" PRIu64 "\n", sum);
	}
	print_name(f, k, "_sum", "", out);
	print_value(f, k->value, out);
	print_name(f, k, "_count", "", out);
	evbuffer_add_printf(out, "%" PRIu64 "\n", sum);
}

void metrics_print(const struct metrics *m, struct evbuffer *out)
{
	for (const struct family *f = m->first; f; f = f->next) {
		evbuffer_add_printf(out, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help,
				    f->name, type_names[f->type]);
		for (const struct metric *k = f->first; k; k = k->next) {
			if (f->type == HISTOGRAM) {
				print_histogram(f, k, out);
				continue;
			}
			print_name(f, k, "", "", out);
			print_value(f, metric_value(k), out);
		}
	}
}
