#include "cli/up/lines.h"

#include "base/log.h"
#include "base/mem.h"
#include "tests/unit/base/capture.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is on stderr after a program has written these bytes, in one piece or byte by byte. */
static char *written(const char *bytes, bool one_by_one, bool json)
{
	struct loop *l = loop_new();
	struct capture *c = capture_start(STDERR_FILENO);
	struct lines *s = lines_new(l, "fn-ping-0", json);
	size_t n = strlen(bytes);
	int end = dup(lines_end(s));

	lines_started(s);
	for (size_t at = 0; at < n; at += one_by_one ? 1 : n) {
		size_t some = one_by_one ? 1 : n;

		if (write(end, bytes + at, some) != (ssize_t)some)
			abort();
		event_base_loop(loop_base(l), EVLOOP_NONBLOCK);
	}
	close(end);
	lines_free(s);
	loop_free(l);
	return capture_end(c);
}

static void becomes(const char *bytes, const char *wanted)
{
	for (int i = 0; i < 2; i++) {
		char *got = written(bytes, i, false);

		cr_expect_str_eq(got, wanted);
		free(got);
	}
}

Test(lines, each_line_has_the_name_before_it)
{
	becomes("one\ntwo\n", "fn-ping-0 | one\nfn-ping-0 | two\n");
	becomes("grüße\n", "fn-ping-0 | grüße\n");
}

Test(lines, a_carriage_return_ends_a_line_and_empty_lines_are_left_out)
{
	becomes("one\rtwo\r\n\n\nthree\n",
		"fn-ping-0 | one\nfn-ping-0 | two\nfn-ping-0 | three\n");
}

Test(lines, a_last_line_without_its_end_is_written_when_the_program_ends)
{
	becomes("one\ntwo", "fn-ping-0 | one\nfn-ping-0 | two\n");
	becomes("", "");
}

Test(lines, a_line_without_an_end_becomes_several)
{
	char *endless = xcalloc(1, 20001);
	char *got;

	memset(endless, 'x', 20000);
	got = written(endless, true, false);
	cr_expect_eq(strlen(got), 20000 + 3 * strlen("fn-ping-0 | \n"));
	free(got);
	free(endless);
}

Test(lines, in_json_a_line_is_a_log_line)
{
	log_init("gatepost", LOG_INFO, LOG_JSON);
	char *got = written("say \"x\"\n", false, true);

	cr_expect_not_null(strstr(got,
				  "\"event\":\"function.output\",\"name\":\"fn-ping-0\","
				  "\"line\":\"say \\\"x\\\"\"}\n"));
	free(got);
}
