#include "cli/up/task.h"

#include "base/mem.h"
#include "cli/up/spawn.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct task {
	pid_t pid; /* 0: it has ended */
	struct event *child_signal;
	task_done_fn *done;
	void *arg;
};

static void on_child_signal(evutil_socket_t sig, short what, void *arg);

struct task *task_start(struct loop *l, task_fn *fn, task_done_fn *done, void *arg)
{
	struct task *t = xcalloc(1, sizeof *t);

	*t = (struct task){.done = done, .arg = arg};
	t->child_signal = evsignal_new(loop_base(l), SIGCHLD, on_child_signal, t);
	evsignal_add(t->child_signal, NULL);
	fflush(NULL);
	t->pid = spawn_fork();
	if (t->pid == 0) {
		int status = fn(arg);

		fflush(NULL);
		_exit(status);
	}
	if (t->pid > 0)
		return t;
	t->pid = 0;
	task_free(t);
	return NULL;
}

void task_free(struct task *t)
{
	if (t == NULL)
		return;
	event_free(t->child_signal);
	if (t->pid) {
		kill(t->pid, SIGKILL);
		waitpid(t->pid, NULL, 0);
	}
	free(t);
}

static void on_child_signal(evutil_socket_t sig, short what, void *arg)
{
	struct task *t = arg;
	int status;

	(void)sig;
	(void)what;
	if (t->pid == 0 || waitpid(t->pid, &status, WNOHANG) != t->pid)
		return;
	t->pid = 0;
	t->done(t->arg, WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}
