/*
 * A line of /proc/self/cgroup is "ID:CONTROLLERS:PATH"; version 2 has "0::PATH". In a container the
 * path may be the host's, or "/" in a namespace of its own, and the container's group is mounted
 * as the root: folders that do not exist are skipped.
 *
 * source  Linux: cgroups(7), Documentation/admin-guide/cgroup-v2.rst
 */
#include "base/cgroup.h"

#include "base/mem.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 4096, CORE = 1000 };

/* Version 1 writes the largest multiple of a page for "no limit". */
static const int64_t memory_most = INT64_C(1) << 60;

static int64_t smaller(int64_t a, int64_t b)
{
	if (a == CGROUP_UNLIMITED || b == CGROUP_UNLIMITED)
		return a == CGROUP_UNLIMITED ? b : a;
	return a < b ? a : b;
}

/* Up to two numbers of the first line; returns how many there are. "max" is none. */
static int read_numbers(const char *folder, const char *file, long long *a, long long *b)
{
	char *path = xasprintf("%s/%s", folder, file);
	FILE *in = fopen(path, "re");
	int n = 0;

	if (in != NULL) {
		n = fscanf(in, "%lld %lld", a, b);
		fclose(in);
	}
	free(path);
	return n;
}

static int64_t memory_of(const char *folder, bool is_v2)
{
	long long n, rest;
	int got = read_numbers(folder, is_v2 ? "memory.max" : "memory.limit_in_bytes", &n,
			       &rest);

	return got >= 1 && n > 0 && n < memory_most ? n : CGROUP_UNLIMITED;
}

static int64_t milli(long long quota, long long period)
{
	if (quota <= 0 || period <= 0 || quota > INT64_MAX / CORE)
		return CGROUP_UNLIMITED;
	return quota * CORE / period > 0 ? quota * CORE / period : 1;
}

static int64_t cpu_of(const char *folder, bool is_v2)
{
	long long quota, period, rest;

	if (is_v2)
		return read_numbers(folder, "cpu.max", &quota, &period) == 2
			       ? milli(quota, period)
			       : CGROUP_UNLIMITED;
	if (read_numbers(folder, "cpu.cfs_quota_us", &quota, &rest) < 1 ||
	    read_numbers(folder, "cpu.cfs_period_us", &period, &rest) < 1)
		return CGROUP_UNLIMITED;
	return milli(quota, period);
}

/* The group's own limit, and those of all above it. */
static int64_t least_of(const char *root, const char *path, bool is_v2,
			int64_t (*of)(const char *folder, bool is_v2))
{
	char *folder = xasprintf("%s%s", root, path);
	int64_t least = CGROUP_UNLIMITED;

	for (;;) {
		least = smaller(least, of(folder, is_v2));
		if (strlen(folder) <= strlen(root))
			break;
		*strrchr(folder, '/') = '\0';
	}
	free(folder);
	return least;
}

static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = list; at != NULL; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, word, n) == 0 && (at[n] == ',' || at[n] == '\0'))
			return true;
	}
	return false;
}

static void take_line(struct cgroup *c, const char *root, char *line)
{
	char *controllers = strchr(line, ':');
	char *path = controllers ? strchr(controllers + 1, ':') : NULL;
	char *of_memory, *of_cpu;

	if (path == NULL)
		return;
	controllers++;
	*path++ = '\0';
	path[strcspn(path, "\n")] = '\0';
	if (path[0] != '/' || strstr(path, "/..") != NULL)
		path[0] =
			'\0'; /* a group above our own root: only the root can be read */
	of_memory = xasprintf("%s/memory", root);
	of_cpu = xasprintf("%s/cpu", root);
	if (controllers[0] == '\0') {
		c->memory = smaller(c->memory, least_of(root, path, true, memory_of));
		c->cpu_milli = smaller(c->cpu_milli, least_of(root, path, true, cpu_of));
	}
	if (has_word(controllers, "memory"))
		c->memory =
			smaller(c->memory, least_of(of_memory, path, false, memory_of));
	if (has_word(controllers, "cpu"))
		c->cpu_milli =
			smaller(c->cpu_milli, least_of(of_cpu, path, false, cpu_of));
	free(of_memory);
	free(of_cpu);
}

struct cgroup cgroup_read_from(const char *list, const char *root)
{
	struct cgroup c = {CGROUP_UNLIMITED, CGROUP_UNLIMITED};
	FILE *in = fopen(list, "re");
	char line[LINE];

	if (in == NULL)
		return c;
	while (fgets(line, sizeof line, in) != NULL)
		take_line(&c, root, line);
	fclose(in);
	return c;
}

struct cgroup cgroup_read(void)
{
	return cgroup_read_from("/proc/self/cgroup", "/sys/fs/cgroup");
}

int64_t cgroup_share(const struct cgroup *c, int64_t part, int64_t most)
{
	return c->memory == CGROUP_UNLIMITED || c->memory / part > most
		       ? most
		       : c->memory / part;
}
