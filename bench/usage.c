#include "bench/usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void usage_add(struct usage_table *t, const char *name, const char *role, pid_t pid)
{
	if (t->n == USAGE_PROCESSES)
		return;

	struct usage_process *p = &t->processes[t->n++];
	snprintf(p->name, sizeof p->name, "%s", name);
	snprintf(p->role, sizeof p->role, "%s", role);
	p->pid = pid;
}

enum err usage_add_pids(struct usage_table *t, const char *pids)
{
	char *end;

	for (const char *at = pids;; at = end + 1) {
		long pid = strtol(at, &end, 10);
		char name[32];

		if (end == at || pid <= 0 || (*end != ',' && *end != '\0')) {
			fprintf(stderr, "bench: --pids %s is not PID[,PID…]\n", pids);
			return ERR_MALFORMED;
		}
		snprintf(name, sizeof name, "%ld", pid);
		usage_add(t, name, "server", (pid_t)pid);
		if (*end == '\0')
			return OK;
	}
}

/* The first bytes of /proc/PID/name; false when the process is gone. */
static bool slurp(pid_t pid, const char *name, char *out, size_t n)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return false;
	size_t got = fread(out, 1, n - 1, f);
	fclose(f);
	out[got] = '\0';
	return got > 0;
}

/* Fields 14 and 15, counted from the end of the program's name, which may hold spaces (proc(5)). */
static bool read_cpu(pid_t pid, int64_t *us)
{
	char text[1024];
	unsigned long long user, kernel;

	if (!slurp(pid, "stat", text, sizeof text))
		return false;
	const char *at = strrchr(text, ')');
	if (at == NULL ||
	    sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user,
		   &kernel) != 2)
		return false;
	*us = (int64_t)(user + kernel) * (1000000 / sysconf(_SC_CLK_TCK));
	return true;
}

static bool read_rss(pid_t pid, int64_t *bytes)
{
	char text[4096];
	long long kib;
	const char *at = NULL;

	if (slurp(pid, "smaps_rollup", text, sizeof text))
		at = strstr(text, "\nRss:");
	if (at == NULL && slurp(pid, "status", text, sizeof text))
		at = strstr(text, "\nVmRSS:");
	if (at == NULL || sscanf(strchr(at, ':'), ": %lld kB", &kib) != 1)
		return false;
	*bytes = kib * 1024;
	return true;
}

enum err usage_look(struct usage_table *t, enum usage_moment m)
{
	enum err e = OK;

	for (size_t i = 0; i < t->n; i++) {
		struct usage_process *p = &t->processes[i];
		struct usage *u = &p->at[m];

		if (read_cpu(p->pid, &u->cpu_us) && read_rss(p->pid, &u->rss))
			continue;
		fprintf(stderr, "bench: %s (pid %d) is gone, or may not be looked at\n",
			p->name, (int)p->pid);
		e = ERR_NOTFOUND;
	}
	return e;
}

static bool is_of(const struct usage_process *p, const char *role)
{
	return role == NULL ? strcmp(p->role, "load") != 0 : strcmp(p->role, role) == 0;
}

int64_t usage_cpu_us(const struct usage_table *t, const char *role,
		     enum usage_moment from, enum usage_moment to)
{
	int64_t sum = 0;

	for (size_t i = 0; i < t->n; i++)
		if (is_of(&t->processes[i], role))
			sum += t->processes[i].at[to].cpu_us -
			       t->processes[i].at[from].cpu_us;
	return sum;
}

int64_t usage_rss(const struct usage_table *t, const char *role, enum usage_moment m)
{
	int64_t sum = 0;

	for (size_t i = 0; i < t->n; i++)
		if (is_of(&t->processes[i], role))
			sum += t->processes[i].at[m].rss;
	return sum;
}
