#include "cli/child.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/notify.h"
#include "cli/spawn.h"

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
	for (char **word = c->argv; *word; word++)
		free(*word);
	free(c->argv);
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

enum err child_start(struct child *c)
{
	timer_stop(c->again);

	pid_t pid = spawn_program(c->argv, c->notify);
	if (pid == -1)
		return cannot_start(c, errno);
	c->pid = pid;
	c->was_started = true;
	c->started_ms = clock_ms();
	child_enter(c, CHILD_STARTING);
	log_info("process.start", S("name", c->name), I("pid", pid));
	return OK;
}

static enum err cannot_start(struct child *c, int why)
{
	log_error("process.cannot_start", S("name", c->name), S("program", c->argv[0]),
		  S("error", strerror(why)),
		  S("fix", why == ENOENT ? c->if_missing : "it is tried again"));
	if (why == ENOENT && !c->was_started)
		return ERR_NOTFOUND;
	timer_after(c->again, wait_longer(c));
	return OK;
}

static void on_again(void *arg)
{
	enum err e = child_start(arg);

	(void)e; /* it was there once: child_start tries again by itself */
}

/* The wait before the next start; the one after it is twice as long. */
static int64_t wait_longer(struct child *c)
{
	int64_t wait_ms = c->backoff_ms;

	c->backoff_ms = wait_ms * 2 < BACKOFF_MOST_MS ? wait_ms * 2 : BACKOFF_MOST_MS;
	return wait_ms;
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

void child_restart(struct child *c, int wait_status)
{
	if (clock_ms() - c->started_ms >= SETTLED_MS)
		c->backoff_ms = BACKOFF_LEAST_MS;

	int64_t wait_ms = wait_longer(c);
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
		log_warn("process.ended_badly", S("name", c->name), I("pid", c->pid),
			 how_it_ended(wait_status));
	c->pid = 0;
	if (c->state != CHILD_STOPPING)
		child_enter(c, CHILD_STOPPING); /* it went before it was asked to */
	child_enter(c, CHILD_GONE);
	return well;
}
