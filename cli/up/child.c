#include "cli/up/child.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/up/lines.h"
#include "cli/up/notify.h"
#include "cli/up/spawn.h"
#include "cli/client/words.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum {
	BACKOFF_LEAST_MS = 100,
	BACKOFF_MOST_MS = 5000,
	SETTLED_MS = 10000, /* of life, after which a death is a new story */
	APART_MS = 200,     /* between two starts of a worker that dies of its work */
};

static const char *const state_names[] = {"waiting", "starting", "ready", "stopping",
					  "gone"};

static const unsigned allowed[] = {
	[CHILD_WAITING] = 1u << CHILD_STARTING | 1u << CHILD_GONE,
	[CHILD_STARTING] = 1u << CHILD_READY | 1u << CHILD_WAITING | 1u << CHILD_STOPPING,
	[CHILD_READY] = 1u << CHILD_WAITING | 1u << CHILD_STOPPING,
	[CHILD_STOPPING] = 1u << CHILD_GONE,
	[CHILD_GONE] = 0,
};

static enum err cannot_start(struct child *c, int why);
static void on_again(void *arg);
static int64_t wait_longer(struct child *c);

const char *role_name(enum role r)
{
	switch (r) {
	case ROLE_REDIS: return "redis";
	case ROLE_BROKER: return "broker";
	case ROLE_FUNCTION: return "function";
	case ROLE_EDGE: return "edge";
	case ROLES: break;
	}
	return "unknown";
}

struct child *child_new(struct loop *l, const struct child_plan *plan)
{
	struct child *c = xcalloc(1, sizeof *c);

	c->role = plan->role;
	c->name = xstrdup(plan->name);
	c->argv = plan->argv;
	c->if_missing = xstrdup(plan->if_missing);
	c->notify = xstrdup(plan->notify);
	c->loop = l;
	c->env = plan->env;
	c->folder = plan->folder ? xstrdup(plan->folder) : NULL;
	c->json = plan->json;
	c->is_held = plan->is_held;
	c->stop_ms = plan->stop_ms > CHILD_STOP_MS ? plan->stop_ms : CHILD_STOP_MS;
	c->backoff_ms = BACKOFF_LEAST_MS;
	c->again = timer_new(l, on_again, c);
	return c;
}

void child_free(struct child *c)
{
	if (c == NULL)
		return;
	if (c->pid) {
		kill(c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
	}
	timer_free(c->again);
	words_free(c->argv);
	words_free(c->env);
	lines_free(c->lines);
	free(c->folder);
	free(c->if_missing);
	free(c->notify);
	free(c->metrics);
	free(c->management);
	free(c->name);
	free(c);
}

/* The one place that writes c->state. */
static void child_enter(struct child *c, enum child_state next)
{
	assert(allowed[c->state] & 1u << next);
	log_debug("process.state", S("name", c->name), S("from", state_names[c->state]),
		  S("to", state_names[next]));
	c->state = next;
}

/*
 * Clients reach an edge, and Redis needs none of it: they do not get what the
 * user's shell knows. A broker's configuration may have ${env:NAME}, and functions are the user's.
 */
static const char *const *kept_variables(enum role r)
{
	static const char *const few[] = {"PATH",         "HOME",       "LANG",
					  "LC_*",         "TZ",         "TMPDIR",
					  "LD_*",         "MALLOC_*",   "GLIBC_TUNABLES",
					  "*SAN_OPTIONS", "GATEPOST_*", NULL};

	return r == ROLE_EDGE || r == ROLE_REDIS ? few : NULL;
}

/* Gatepost's processes write log lines to stderr; the output of others is marked. */
static pid_t spawn(struct child *c)
{
	struct spawn how = {
		.argv = c->argv,
		.env = c->env,
		.folder = c->folder,
		.keeps = kept_variables(c->role),
		.knows_redis = c->role == ROLE_BROKER,
		.notify = c->role == ROLE_FUNCTION ? NULL : c->notify,
		.output = -1,
	};

	if (c->role == ROLE_FUNCTION) {
		lines_free(c->lines);
		c->lines = lines_new(c->loop, c->name, c->json);
		if (c->lines == NULL)
			return -1;
		how.output = lines_end(c->lines);
	}

	pid_t pid = spawn_program(&how);
	int why = errno;
	if (c->lines)
		lines_started(c->lines);
	errno = why;
	return pid;
}

enum err child_start(struct child *c)
{
	timer_stop(c->again);

	pid_t pid = spawn(c);
	if (pid == -1)
		return cannot_start(c, errno);
	c->pid = pid;
	c->was_started = true;
	c->has_worked = false;
	c->started_ms = clock_ms();
	child_enter(c, CHILD_STARTING);
	log_info("process.start", S("name", c->name), I("pid", pid));
	return OK;
}

static enum err cannot_start(struct child *c, int why)
{
	log_error("process.cannot_start", S("name", c->name), S("program", c->argv[0]),
		  S("why", strerror(why)),
		  S("hint", why == ENOENT ? c->if_missing : "it is tried again"));
	if (why == ENOENT && !c->was_started && c->role != ROLE_FUNCTION)
		return ERR_NOTFOUND;
	timer_after(c->again, wait_longer(c));
	return OK;
}

static void on_again(void *arg)
{
	enum err e = child_start(arg);

	(void)e; /* it was there once, or is a function's: child_start tries again by itself */
}

/* The wait before the next start; the one after it is twice as long. */
static int64_t wait_longer(struct child *c)
{
	int64_t wait_ms = c->backoff_ms;

	c->backoff_ms = wait_ms * 2 < BACKOFF_MOST_MS ? wait_ms * 2 : BACKOFF_MOST_MS;
	return wait_ms;
}

/* The wait after an unexpected end of a process. */
static int64_t wait_after_end(struct child *c)
{
	int64_t lived_ms = clock_ms() - c->started_ms;

	if (c->has_worked || lived_ms >= SETTLED_MS)
		c->backoff_ms = BACKOFF_LEAST_MS;
	if (c->has_worked)
		return lived_ms < APART_MS ? APART_MS - lived_ms : 0;
	return wait_longer(c);
}

void child_has_worked(struct child *c)
{
	c->has_worked = true;
}

void child_take_ready(struct child *c, const char *text)
{
	if (c->state != CHILD_STARTING)
		return;
	free(c->metrics);
	free(c->management);
	c->metrics = notify_value(text, "X_GATEPOST_METRICS");
	c->management = notify_value(text, "X_GATEPOST_MANAGEMENT");
	c->was_ready = true;
	child_enter(c, CHILD_READY);
	log_info("process.ready", S("name", c->name), I("pid", c->pid),
		 I("after_ms", clock_ms() - c->started_ms));
}

static struct log_field how_it_ended(int wait_status)
{
	if (WIFSIGNALED(wait_status))
		return I("signal", WTERMSIG(wait_status));
	return I("status", WEXITSTATUS(wait_status));
}

/* Asked by us to end, so that another one may follow, or none for now. */
static void end_for_us(struct child *c, int how)
{
	timer_stop(c->again);
	if (c->pid == 0)
		return;
	c->ends_for_us = true;
	kill(c->pid, how);
}

void child_renew(struct child *c)
{
	end_for_us(c, SIGKILL);
}

void child_hold(struct child *c)
{
	c->is_held = true;
	end_for_us(c, SIGTERM);
}

static bool same_words(char *const *a, char *const *b)
{
	size_t i = 0;

	if (a == NULL || b == NULL)
		return a == b;
	while (a[i] && b[i] && strcmp(a[i], b[i]) == 0)
		i++;
	return a[i] == b[i]; /* both NULL */
}

void child_place(struct child *c, char **argv, char **env)
{
	bool same = !c->is_held && same_words(c->argv, argv) && same_words(c->env, env);

	words_free(same ? argv : c->argv);
	words_free(same ? env : c->env);
	if (same)
		return;
	c->argv = argv;
	c->env = env;
	c->is_held = false;
	end_for_us(c, SIGTERM);
	if (c->pid == 0)
		timer_after(c->again, 0);
}

/* It was not its fault. */
static void follow(struct child *c)
{
	log_info("process.stopped", S("name", c->name), I("pid", c->pid));
	c->ends_for_us = false;
	c->pid = 0;
	child_enter(c, CHILD_WAITING);
	if (!c->is_held)
		timer_after(c->again, 0);
}

void child_restart(struct child *c, int wait_status)
{
	if (c->ends_for_us) {
		follow(c);
		return;
	}

	int64_t wait_ms = wait_after_end(c);
	log_warn("process.exited", S("name", c->name), I("pid", c->pid),
		 how_it_ended(wait_status), I("restart_in_ms", wait_ms));
	c->pid = 0;
	child_enter(c, CHILD_WAITING);
	timer_after(c->again, wait_ms);
}

void child_stop(struct child *c)
{
	timer_stop(c->again);
	if (c->state == CHILD_WAITING)
		child_enter(c, CHILD_GONE);
	if (c->state != CHILD_STARTING && c->state != CHILD_READY)
		return;
	child_enter(c, CHILD_STOPPING);
	kill(c->pid, SIGTERM);
}

void child_kill(struct child *c)
{
	child_stop(c);
	if (c->pid)
		kill(c->pid, SIGKILL);
}

bool child_take_end(struct child *c, int wait_status)
{
	/* One that was just starting may not have set up its way to end on SIGTERM. */
	bool well = wait_status == 0 ||
		    (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGTERM);

	if (!well)
		log_warn("process.failed", S("name", c->name), I("pid", c->pid),
			 how_it_ended(wait_status));
	c->pid = 0;
	if (c->state != CHILD_STOPPING)
		child_enter(c, CHILD_STOPPING); /* it went before it was asked to */
	child_enter(c, CHILD_GONE);
	return well;
}
