#include "cli/up/notify.h"

#include "base/mem.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

static void value_is(const char *text, const char *name, const char *wanted)
{
	char *got = notify_value(text, name);

	if (wanted)
		cr_assert(eq(str, got, (char *)wanted), "%s in \"%s\"", name, text);
	else
		cr_assert(eq(ptr, got, NULL), "%s in \"%s\"", name, text);
	free(got);
}

Test(notify, a_value_is_the_rest_of_its_line)
{
	value_is("READY=1\nX_A=http://127.0.0.1:1\nX_B=2", "READY", "1");
	value_is("READY=1\nX_A=http://127.0.0.1:1\nX_B=2", "X_A", "http://127.0.0.1:1");
	value_is("READY=1\nX_A=a=b\n", "X_A", "a=b");
	value_is("\n\nREADY=1", "READY", "1");
	value_is("READY=", "READY", "");
}

Test(notify, a_name_is_the_whole_word_before_the_first_equals_sign)
{
	value_is("NOT_READY=1", "READY", NULL);
	value_is("READY_SOON=1", "READY", NULL);
	value_is("READY", "READY", NULL);
	value_is("STATUS=READY=1", "READY", NULL);
	value_is("", "READY", NULL);
}

Test(notify, of_several_lines_of_one_name_the_last_holds)
{
	value_is("A=1\nA=2\nB=3", "A", "2");
}

struct heard {
	struct loop *loop;
	pid_t pid;
	char *text;
};

static void on_text(void *arg, pid_t pid, const char *text)
{
	struct heard *h = arg;

	h->pid = pid;
	h->text = xstrdup(text);
	loop_stop(h->loop);
}

Test(notify, what_sd_notify_sends_arrives_with_the_senders_pid, .timeout = 10)
{
	char folder[] = "/tmp/gatepost-unit-XXXXXX";
	cr_assert(mkdtemp(folder) != NULL);

	char *path = xasprintf("%s/notify.sock", folder);
	struct heard h = {.loop = loop_new()};
	struct notify *n = notify_new(h.loop, path, on_text, &h);
	cr_assert(n != NULL);

	setenv("NOTIFY_SOCKET", path, 1);
	cr_assert(sd_notify(0, "READY=1\nX_A=b") > 0);
	loop_run(h.loop);

	cr_assert(eq(int, h.pid, getpid()));
	cr_assert(eq(str, h.text, "READY=1\nX_A=b"));
	notify_free(n);
	cr_assert(access(path, F_OK) == -1);
	loop_free(h.loop);
	rmdir(folder);
	free(path);
	free(h.text);
}
