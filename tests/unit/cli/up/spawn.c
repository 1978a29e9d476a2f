#include "cli/up/spawn.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What env(1) says of its surroundings, each line between two line ends. */
static void surroundings(struct spawn how, char out[8192])
{
	char *argv[] = {(char *)"env", NULL};
	size_t n = 1;
	ssize_t k;
	int ends[2];

	cr_assert(eq(int, pipe2(ends, O_CLOEXEC), 0));
	how.argv = argv;
	how.output = ends[1];
	pid_t pid = spawn_program(&how);
	cr_assert(pid > 0);
	close(ends[1]);
	out[0] = '\n';
	while (n < 8191 && (k = read(ends[0], out + n, 8191 - n)) > 0)
		n += (size_t)k;
	out[n] = '\0';
	close(ends[0]);
	waitpid(pid, NULL, 0);
}

static void start(void)
{
	clearenv();
	setenv("PATH", "/usr/bin:/bin", 1);
	setenv("GATEPOST_REDIS", "redis://:secret@h", 1);
	setenv("GATEPOST_SETTINGS", "1", 1);
	setenv("NOTIFY_SOCKET", "/of/ours", 1);
	setenv("LC_ALL", "C", 1);
	setenv("USERS_SECRET", "swordfish", 1);
}

TestSuite(spawn, .init = start, .timeout = 10);

Test(spawn, a_program_has_what_we_have_but_what_is_ours_alone)
{
	char out[8192];

	surroundings((struct spawn){0}, out);
	cr_assert(eq(str, out,
		     (char *)"\nPATH=/usr/bin:/bin\nLC_ALL=C\nUSERS_SECRET=swordfish\n"));
}

Test(spawn, one_that_knows_redis_and_reports_is_told_how)
{
	char out[8192];

	surroundings((struct spawn){.knows_redis = true, .notify = "/n"}, out);
	cr_assert(strstr(out, "\nGATEPOST_REDIS=redis://:secret@h\n") != NULL);
	cr_assert(strstr(out, "\nNOTIFY_SOCKET=/n\n") != NULL);
	cr_assert(strstr(out, "SETTINGS") == NULL);
}

Test(spawn, of_one_that_keeps_little_nothing_else_is_there_but_what_it_is_given)
{
	static const char *const few[] = {"PATH", "LC_*", "GATEPOST_*", NULL};
	char *more[] = {(char *)"MORE=1", NULL};
	char out[8192];

	surroundings((struct spawn){.keeps = few, .env = more}, out);
	cr_assert(eq(str, out, (char *)"\nPATH=/usr/bin:/bin\nLC_ALL=C\nMORE=1\n"));
}
