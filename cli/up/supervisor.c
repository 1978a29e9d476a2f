/*
 * The order in which children live, in the order of happening:
 *
 *   supervisor_start   the first rank
 *   on_notify          one is ready: the next rank, or all are
 *   on_child_signal    one has ended: again after a while, or the next rank to stop
 *   supervisor_stop    the last rank first
 */
#include "cli/up/supervisor.h"

#include "base/log.h"
#include "base/mem.h"
#include "cli/up/notify.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum {
	BAD_SETTINGS = 2, /* the exit status that all our programs share */
};

struct supervisor {
	struct loop *loop;
	struct supervisor_watch watch;
	struct notify *notify;
	char *notify_path;
	struct event *child_signal;
	struct timer *stop_deadline;
	struct child **children;
	size_t n;
	bool stopping;
	bool stopped;
	enum role rank; /* when stopping: the one whose turn it is */
	int status;
};

static void start_rank(struct supervisor *s);
static bool rank_is_ready(struct supervisor *s, enum role r);
static void on_notify(void *arg, pid_t pid, const char *text);
static void on_child_signal(evutil_socket_t sig, short what, void *arg);
static void child_exited(struct supervisor *s, struct child *c, int wait_status);
static void give_up(struct supervisor *s, const struct child *c);
static void kill_all(struct supervisor *s);
static void stop_rank(struct supervisor *s);
static void on_stop_deadline(void *arg);
static void tell_stopped(void *arg);
static void forget_gone(void *arg);

struct supervisor *supervisor_new(struct loop *l, const char *folder,
				  const struct supervisor_watch *watch)
{
	char *path = xasprintf("%s/notify.sock", folder);
	struct supervisor *s = xcalloc(1, sizeof *s);
	struct notify *n = notify_new(l, path, on_notify, s);

	if (n == NULL) {
		free(path);
		free(s);
		return NULL;
	}
	s->loop = l;
	s->watch = *watch;
	s->notify = n;
	s->notify_path = path;
	s->stop_deadline = timer_new(l, on_stop_deadline, s);
	s->child_signal = evsignal_new(loop_base(l), SIGCHLD, on_child_signal, s);
	evsignal_add(s->child_signal, NULL);
	return s;
}

void supervisor_free(struct supervisor *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n; i++)
		child_free(s->children[i]);
	free(s->children);
	event_free(s->child_signal);
	timer_free(s->stop_deadline);
	notify_free(s->notify);
	free(s->notify_path);
	free(s);
}

struct child *supervisor_add(struct supervisor *s, struct child_plan plan)
{
	struct child *c;

	plan.notify = s->notify_path;
	c = child_new(s->loop, &plan);
	s->children = xrealloc(s->children, (s->n + 1) * sizeof(struct child *));
	s->children[s->n++] = c;
	return c;
}

void supervisor_remove(struct supervisor *s, struct child *c)
{
	c->is_leaving = true;
	child_stop(c);
	loop_defer(s->loop, forget_gone, s);
}

static void forget_gone(void *arg)
{
	struct supervisor *s = arg;
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++) {
		struct child *c = s->children[i];

		if (c->is_leaving && c->state == CHILD_GONE)
			child_free(c);
		else
			s->children[kept++] = c;
	}
	if (kept == s->n)
		return;
	s->n = kept;
	start_rank(s); /* the missing process may have been one of them */
}

/* Starting. */

void supervisor_start(struct supervisor *s)
{
	start_rank(s);
}

/* Start the first rank that is not complete; when there is none, all are ready. */
static void start_rank(struct supervisor *s)
{
	for (enum role r = 0; r < ROLES; r++)
		if (!rank_is_ready(s, r) && r != ROLE_FUNCTION)
			return;
	if (supervisor_missing(s) == NULL)
		s->watch.on_ready(s->watch.arg);
}

static bool rank_is_ready(struct supervisor *s, enum role r)
{
	bool ready = true;

	for (size_t i = 0; i < s->n && !s->stopping; i++) {
		struct child *c = s->children[i];

		if (c->role != r || c->was_ready)
			continue;
		ready = false;
		if (!c->was_started && c->role != ROLE_FUNCTION && child_start(c) != OK)
			give_up(s, c);
	}
	return ready && !s->stopping;
}

static struct child *child_of(const struct supervisor *s, pid_t pid)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->children[i]->pid == pid)
			return s->children[i];
	return NULL;
}

static void on_notify(void *arg, pid_t pid, const char *text)
{
	struct supervisor *s = arg;
	struct child *c = pid > 0 ? child_of(s, pid) : NULL;
	char *ready = notify_value(text, "READY");

	if (c)
		s->watch.on_told(s->watch.arg, c, text);
	if (c && ready && strcmp(ready, "1") == 0) {
		child_take_ready(c, text);
		start_rank(s);
	}
	free(ready);
}

void supervisor_ready(struct supervisor *s, struct child *c)
{
	child_take_ready(c, "");
	start_rank(s);
}

/* Dying, and coming back. */

static void on_child_signal(evutil_socket_t sig, short what, void *arg)
{
	struct supervisor *s = arg;

	(void)sig;
	(void)what;
	notify_take(s->notify); /* reports of a process before it ended */
	for (size_t i = 0; i < s->n; i++) {
		struct child *c = s->children[i];
		int status;

		if (c->pid && waitpid(c->pid, &status, WNOHANG) == c->pid)
			child_exited(s, c, status);
	}
}

static void child_exited(struct supervisor *s, struct child *c, int wait_status)
{
	bool refused = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == BAD_SETTINGS;
	bool ours = c->role != ROLE_FUNCTION;
	bool hopeless = !c->was_ready && (refused || c->role == ROLE_REDIS) && ours;

	if (!s->stopping && !hopeless && !c->is_leaving) {
		s->watch.on_gone(s->watch.arg, c);
		child_restart(c, wait_status);
		return;
	}
	if (!child_take_end(c, wait_status) && s->status == 0 && ours)
		s->status = refused ? BAD_SETTINGS : 1;
	if (c->is_leaving)
		loop_defer(s->loop, forget_gone, s);
	if (c->is_leaving && !s->stopping)
		return;
	if (s->stopping)
		stop_rank(s);
	else
		give_up(s, c);
}

/* Trying again would not help. */
static void give_up(struct supervisor *s, const struct child *c)
{
	log_error("up.failed", S("name", c->name), S("why", "it never became ready"));
	if (s->status == 0)
		s->status = 1;
	supervisor_stop(s);
}

/* Stopping. */

void supervisor_stop(struct supervisor *s)
{
	if (s->stopping) {
		kill_all(s);
		return;
	}
	s->stopping = true;
	s->rank = ROLES;
	stop_rank(s);
}

/* As long as the slowest may take. */
static int64_t stop_ms(const struct supervisor *s)
{
	int64_t longest = CHILD_STOP_MS;

	for (size_t i = 0; i < s->n; i++)
		if (s->children[i]->role == s->rank && s->children[i]->stop_ms > longest)
			longest = s->children[i]->stop_ms;
	return longest;
}

static void kill_all(struct supervisor *s)
{
	for (size_t i = 0; i < s->n; i++)
		child_kill(s->children[i]);
}

/* When the rank whose turn it is has ended, it is the turn of the one before it. */
static void stop_rank(struct supervisor *s)
{
	for (;;) {
		for (size_t i = 0; i < s->n; i++)
			if (s->children[i]->role == s->rank && s->children[i]->pid)
				return;
		if (s->rank == 0)
			break;
		s->rank--;
		timer_after(s->stop_deadline, stop_ms(s));
		for (size_t i = 0; i < s->n; i++)
			if (s->children[i]->role == s->rank)
				child_stop(s->children[i]);
	}
	timer_stop(s->stop_deadline);
	if (!s->stopped)
		loop_defer(s->loop, tell_stopped, s);
	s->stopped = true;
}

static void on_stop_deadline(void *arg)
{
	struct supervisor *s = arg;

	for (size_t i = 0; i < s->n; i++) {
		struct child *c = s->children[i];

		if (c->role != s->rank || c->pid == 0)
			continue;
		log_warn("process.stop_timeout", S("name", c->name), I("pid", c->pid),
			 I("after_ms", stop_ms(s)), S("signal", "SIGKILL"));
		child_kill(c);
	}
}

static void tell_stopped(void *arg)
{
	struct supervisor *s = arg;

	s->watch.on_stopped(s->watch.arg);
}

int supervisor_status(const struct supervisor *s)
{
	return s->status;
}

const struct child *supervisor_next(const struct supervisor *s, size_t *at)
{
	return *at < s->n ? s->children[(*at)++] : NULL;
}

const struct child *supervisor_missing(const struct supervisor *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->children[i]->state != CHILD_READY)
			return s->children[i];
	return NULL;
}
