#include "aws/keyring.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[64], next[80];
static struct loop *loop;
static struct keyring *keyring;
static const char *awaited;
static bool seen;

static void write_as(const char *to, const char *text, mode_t mode)
{
	int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, mode);

	cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	fchmod(fd, mode);
	close(fd);
}

static void start(void)
{
	snprintf(path, sizeof path, "/tmp/gatepost-keyring.%d", (int)getpid());
	snprintf(next, sizeof next, "%s.next", path);
	loop = loop_new();
	write_as(path, "[a]\ntoken = first\n", 0600);
	keyring = NULL;
	seen = false;
}

static void end(void)
{
	keyring_free(keyring);
	loop_free(loop);
	unlink(path);
	unlink(next);
}

TestSuite(keyring, .init = start, .fini = end);

static bool knows(const char *token)
{
	return credentials_of_token(keyring_credentials(keyring), span_str(token)) !=
	       NULL;
}

static void look(void *arg)
{
	(void)arg;
	seen = knows(awaited);
	if (seen)
		loop_stop(loop);
}

static void give_up(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

/* Is the token known before ms have gone by? */
static bool gets_to_know(const char *token, int64_t ms)
{
	struct timer *often = timer_new(loop, look, NULL);
	struct timer *once = timer_new(loop, give_up, NULL);

	awaited = token;
	timer_every(often, 10);
	timer_after(once, ms);
	loop_run(loop);
	timer_free(often);
	timer_free(once);
	return seen;
}

Test(keyring, a_file_that_others_may_read_is_refused)
{
	static const mode_t modes[] = {0640, 0604, 0660, 0622, 0610};

	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		chmod(path, modes[i]);
		cr_assert(eq(ptr, keyring_new(loop, path), NULL), "mode %o", modes[i]);
	}
	chmod(path, 0400);
	keyring = keyring_new(loop, path);
	cr_assert(ne(ptr, keyring, NULL));
}

Test(keyring, a_file_that_is_none_or_is_wrong_is_refused)
{
	cr_assert(eq(ptr, keyring_new(loop, "/tmp"), NULL));
	cr_assert(eq(ptr, keyring_new(loop, "/no/such/file"), NULL));
	write_as(path, "[a]\n", 0600);
	cr_assert(eq(ptr, keyring_new(loop, path), NULL));
}

Test(keyring, a_file_that_takes_the_old_ones_place_is_read)
{
	keyring = keyring_new(loop, path);
	cr_assert(knows("first"));
	write_as(next, "[a]\ntoken = second\n", 0600);
	rename(next, path);
	cr_assert(gets_to_know("second", 10000));
	cr_assert(not(knows("first")));
}

Test(keyring, SIGHUP_reads_the_file_at_once)
{
	keyring = keyring_new(loop, path);
	write_as(path, "[a]\ntoken = third\n", 0600);
	raise(SIGHUP);
	cr_assert(gets_to_know("third", 10000));
}

Test(keyring, a_bad_new_file_leaves_the_old_credentials_in_force)
{
	keyring = keyring_new(loop, path);
	write_as(path, "[a]\npassword = x\n", 0600);
	raise(SIGHUP);
	cr_assert(not(gets_to_know("x", 200)));
	cr_assert(knows("first"));
	chmod(path, 0644);
	write_as(path, "[a]\ntoken = fourth\n", 0644);
	raise(SIGHUP);
	cr_assert(not(gets_to_know("fourth", 200)));
	cr_assert(knows("first"));
}
