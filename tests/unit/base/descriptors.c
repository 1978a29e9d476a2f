#include "base/descriptors.h"

#include "capture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

Test(descriptors, one_more_is_counted_as_one)
{
	int64_t before = descriptors_open();
	int fd = open("/dev/null", O_RDONLY);

	cr_assert(eq(i64, descriptors_open(), before + 1));
	close(fd);
	cr_assert(eq(i64, descriptors_open(), before));
}

static void set_limit(rlim_t n)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = n;
	cr_assert(eq(int, setrlimit(RLIMIT_NOFILE, &limit), 0));
}

Test(descriptors, are_all_counted_when_none_is_left_to_count_them_with)
{
	set_limit((rlim_t)(descriptors_open() + 8));
	while (open("/dev/null", O_RDONLY) != -1)
		;
	cr_assert(eq(i64, descriptors_open(), descriptors_limit()));
}

static void stop(void *arg)
{
	loop_stop(arg);
}

static char *lines_of_a_look(struct loop *l)
{
	struct descriptors *d = descriptors_watch(l, 1);
	struct timer *t = timer_new(l, stop, l);
	struct capture *c = capture_start(STDERR_FILENO);

	timer_after(t, 50);
	loop_run(l);
	timer_free(t);
	descriptors_free(d);
	return capture_end(c);
}

Test(descriptors, are_warned_of_once_when_nine_tenths_are_open)
{
	struct loop *l = loop_new();
	char *lines = lines_of_a_look(l), *warning;

	cr_assert(eq(str, lines, ""));
	free(lines);
	for (int i = 0; i < 60; i++)
		cr_assert(ne(int, open("/dev/null", O_RDONLY), -1));
	set_limit((rlim_t)descriptors_open() + 6); /* the capture has some */
	lines = lines_of_a_look(l);
	warning = strstr(lines, "warn gatepost descriptors.short open=");
	cr_assert(warning != NULL, "%s", lines);
	cr_assert(strstr(warning + 30, "descriptors.short") == NULL, "%s", lines);
	free(lines);
	loop_free(l);
}
