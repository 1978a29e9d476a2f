#include "broker/runtime/counts.h"

#include <stdio.h>

enum { LABELS_TEXT = 200 };

static const char *const kind_names[] = {
	[RESULT_FAILED] = "failed",
	[RESULT_TIMEOUT] = "timeout",
	[RESULT_THROTTLED] = "throttled",
	[RESULT_UNREACHABLE] = "unreachable",
};

/* Names may have what a label must escape. */
static void label(char out[LABELS_TEXT], const char *function)
{
	size_t n = (size_t)snprintf(out, LABELS_TEXT, "function=\"");

	for (const char *c = function; *c && n < LABELS_TEXT - 4; c++) {
		if (*c == '"' || *c == '\\')
			out[n++] = '\\';
		out[n++] = *c == '\n' ? ' ' : *c;
	}
	snprintf(out + n, LABELS_TEXT - n, "\"");
}

void runtime_counts_make(struct runtime_counts *out, struct metrics *m,
			 const char *function)
{
	char own[LABELS_TEXT], kind[LABELS_TEXT + 32];

	label(own, function);
	out->invocations = metric_counter(m, "gatepost_broker_function_invocations_total",
					  own, "Invocations asked for");
	out->seconds = metric_seconds(m, "gatepost_broker_function_seconds", own,
				      "From the invocation to its end, waiting included");
	out->workers = metric_gauge(m, "gatepost_broker_function_workers", own,
				    "Workers that are connected");
	out->polling = metric_gauge(m, "gatepost_broker_function_workers_polling", own,
				    "Workers that wait for an invocation");
	out->waiting = metric_gauge(m, "gatepost_broker_function_queue", own,
				    "Invocations that wait for a worker");
	for (int i = RESULT_FAILED; i <= RESULT_UNREACHABLE; i++) {
		snprintf(kind, sizeof kind, "%s,kind=\"%s\"", own, kind_names[i]);
		out->failed[i] =
			metric_counter(m, "gatepost_broker_function_errors_total", kind,
				       "Invocations that failed");
	}
}
