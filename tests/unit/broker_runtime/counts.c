#include "broker/runtime/counts.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <event2/buffer.h>
#include <string.h>

static bool prints(struct metrics *m, const char *line)
{
	struct evbuffer *out = evbuffer_new();
	bool found;

	metrics_print(m, out);
	evbuffer_add(out, "", 1);
	found = strstr((char *)evbuffer_pullup(out, -1), line) != NULL;
	evbuffer_free(out);
	return found;
}

Test(runtime_counts, each_kind_of_failure_has_a_counter_of_its_own)
{
	struct metrics *m = metrics_new();
	struct runtime_counts c;

	runtime_counts_make(&c, m, "f");
	metric_add(c.failed[RESULT_TIMEOUT], 2);
	cr_assert(prints(m, "errors_total{function=\"f\",kind=\"timeout\"} 2"));
	cr_assert(prints(m, "errors_total{function=\"f\",kind=\"failed\"} 0"));
	metrics_free(m);
}

Test(runtime_counts, quotes_backslashes_and_line_ends_of_a_name_do_not_end_its_label)
{
	struct metrics *m = metrics_new();
	struct runtime_counts c;

	runtime_counts_make(&c, m, "a\"b\\c\nd");
	cr_assert(prints(m, "{function=\"a\\\"b\\\\c d\"} 0"));
	metrics_free(m);
}

Test(runtime_counts, a_long_name_is_cut_and_its_label_is_closed)
{
	struct metrics *m = metrics_new();
	struct runtime_counts c;
	char name[1000];

	memset(name, '"', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	runtime_counts_make(&c, m, name);
	cr_assert(prints(m, "\\\"\"} 0"));
	metrics_free(m);
}
