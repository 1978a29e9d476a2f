#include "bench/crew.h"

#include "base/mem.h"
#include "bench/crowd.h"
#include "bench/worker.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	GRACE_US = 10000000
}; /* for the close handshakes of those that reach the deadline */

struct hand {
	pid_t pid;
	int control;
	struct share share;
};

struct crew {
	const struct plan *plan;
	struct tally *tallies; /* shared memory, one for each process */
	size_t n;
	int64_t end_us;
	struct hand hands[];
};

/* The i-th of n equal parts of all; the parts add up. */
static int64_t part(int64_t all, size_t i, size_t n)
{
	return all * (int64_t)(i + 1) / (int64_t)n - all * (int64_t)i / (int64_t)n;
}

static struct share share_of(const struct crew *c, size_t i)
{
	const struct plan *p = c->plan;
	int64_t connecting = part(p->connecting, i, c->n);
	int64_t rate = part(p->rate, i, c->n);
	int64_t message_rate = part(p->message_rate, i, c->n);

	return (struct share){
		.first = (uint32_t)(p->connections * (int64_t)i / (int64_t)c->n),
		.clients = (uint32_t)part(p->connections, i, c->n),
		.in_flight = part(p->in_flight, i, c->n),
		.rate = rate > 0 ? rate : 1,
		.message_rate =
			message_rate > 0 || p->message_rate == 0 ? message_rate : 1,
		.connecting = connecting > 0 ? connecting : 1,
		.seed = (uint64_t)c->end_us,
		.end_us = c->end_us,
	};
}

static void be_a_hand(const struct crew *c, size_t i, int control, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	for (size_t k = 0; k < i; k++)
		close(c->hands[k].control); /* so that they see their parent's end */
	worker_run(c->plan, &c->hands[i].share, &c->tallies[i], control);
	_exit(0);
}

static bool start(struct crew *c, size_t i)
{
	int ends[2];
	pid_t parent = getpid();

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1)
		return false;
	c->hands[i].share = share_of(c, i);
	c->hands[i].control = ends[0];
	c->hands[i].pid = fork();
	if (c->hands[i].pid == 0) {
		close(ends[0]);
		be_a_hand(c, i, ends[1], parent);
	}
	close(ends[1]);
	return c->hands[i].pid > 0;
}

static struct crew *crew_alloc(const struct plan *p)
{
	size_t n = (size_t)p->processes;
	struct crew *c = xcalloc(1, sizeof *c + n * sizeof *c->hands);

	c->plan = p;
	c->n = n;
	c->end_us = crowd_now_us() + p->deadline_ms * 1000;
	for (size_t i = 0; i < n; i++)
		c->hands[i].control = -1;
	c->tallies = mmap(NULL, n * sizeof *c->tallies, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (c->tallies == MAP_FAILED)
		c->tallies = NULL;
	return c;
}

/* Wait for one byte of a process. */
static enum err hear(const struct crew *c, const struct hand *h)
{
	struct pollfd p = {.fd = h->control, .events = POLLIN};
	int64_t left_us = c->end_us + GRACE_US - crowd_now_us();
	char byte;

	if (poll(&p, 1, left_us < 0 ? 0 : (int)(left_us / 1000)) == 1 &&
	    read(h->control, &byte, 1) == 1)
		return OK;
	fprintf(stderr, "bench-load: process %d of the generator %s\n", (int)h->pid,
		p.revents ? "has died" : "is not through at the deadline");
	return ERR_DOWN;
}

static enum err hear_all(const struct crew *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (hear(c, &c->hands[i]) != OK)
			return ERR_DOWN;
	return OK;
}

/* As many descriptors as the hard limit lets us have. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

struct crew *crew_new(const struct plan *p, struct usage_table *t)
{
	struct crew *c = crew_alloc(p);
	bool ok = c->tallies != NULL;

	raise_descriptors();
	fflush(NULL);
	for (size_t i = 0; ok && i < c->n; i++) {
		ok = start(c, i);
		usage_add(t, "bench-load", "load", c->hands[i].pid);
	}
	if (!ok)
		fprintf(stderr, "bench-load: cannot start its processes: %m\n");
	if (ok && hear_all(c) == OK)
		return c;
	crew_free(c);
	return NULL;
}

enum err crew_step(struct crew *c, int64_t *took_us)
{
	int64_t from_us = crowd_now_us();

	for (size_t i = 0; i < c->n; i++)
		if (send(c->hands[i].control, ".", 1, MSG_NOSIGNAL) != 1)
			fprintf(stderr,
				"bench-load: process %d of the generator is gone\n",
				(int)c->hands[i].pid);

	enum err e = hear_all(c);
	*took_us = crowd_now_us() - from_us;
	return e;
}

void crew_tally(const struct crew *c, struct tally *out)
{
	*out = (struct tally){0};
	for (size_t i = 0; i < c->n; i++)
		tally_merge(out, &c->tallies[i]);
}

void crew_free(struct crew *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n; i++) {
		if (c->hands[i].control != -1)
			close(c->hands[i].control);
		if (c->hands[i].pid > 0)
			waitpid(c->hands[i].pid, NULL, 0);
	}
	if (c->tallies != NULL)
		munmap(c->tallies, c->n * sizeof *c->tallies);
	free(c);
}
