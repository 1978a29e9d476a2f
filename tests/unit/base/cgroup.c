#include "base/cgroup.h"

#include "base/mem.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char root[] = "/tmp/unit-cgroup.XXXXXX";

static void begin(void)
{
	cr_assert(mkdtemp(root) != NULL);
}

static void end(void)
{
	char *words = xasprintf("rm -r %s", root);

	cr_assert(eq(int, system(words), 0));
	free(words);
}

TestSuite(cgroup, .init = begin, .fini = end);

/* With the folders above it. */
static void put(const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", root, name);
	FILE *out;

	for (char *at = path + strlen(root) + 1; (at = strchr(at, '/')) != NULL; at++) {
		*at = '\0';
		mkdir(path, 0700);
		*at = '/';
	}
	out = fopen(path, "w");
	cr_assert(out != NULL);
	fputs(text, out);
	fclose(out);
	free(path);
}

static struct cgroup read_as(const char *list)
{
	char *path = xasprintf("%s/list", root);
	struct cgroup c;

	put("list", list);
	c = cgroup_read_from(path, root);
	free(path);
	return c;
}

Test(cgroup, of_a_container_with_a_namespace_of_its_own_is_the_root_of_version_2)
{
	put("memory.max", "536870912\n");
	put("cpu.max", "150000 100000\n");

	struct cgroup c = read_as("0::/\n");

	cr_assert(eq(i64, c.memory, 512 << 20));
	cr_assert(eq(i64, c.cpu_milli, 1500));
}

Test(cgroup, of_version_2_says_max_for_no_limit)
{
	put("memory.max", "max\n");
	put("cpu.max", "max 100000\n");

	struct cgroup c = read_as("0::/\n");

	cr_assert(eq(i64, c.memory, CGROUP_UNLIMITED));
	cr_assert(eq(i64, c.cpu_milli, CGROUP_UNLIMITED));
}

Test(cgroup, above_another_one_limits_it_too)
{
	put("kubepods.slice/pod1.slice/edge/memory.max", "max\n");
	put("kubepods.slice/pod1.slice/memory.max", "268435456\n");
	put("kubepods.slice/memory.max", "8589934592\n");

	cr_assert(eq(i64, read_as("0::/kubepods.slice/pod1.slice/edge\n").memory,
		     256 << 20));
}

Test(cgroup, of_version_1_has_a_folder_for_each_controller)
{
	put("memory/kubepods/pod1/edge/memory.limit_in_bytes", "268435456\n");
	put("memory/memory.limit_in_bytes", "9223372036854771712\n");
	put("cpu/kubepods/pod1/edge/cpu.cfs_quota_us", "25000\n");
	put("cpu/kubepods/pod1/edge/cpu.cfs_period_us", "100000\n");
	put("cpu/cpu.cfs_quota_us", "-1\n");
	put("cpu/cpu.cfs_period_us", "100000\n");

	struct cgroup c = read_as("9:memory:/kubepods/pod1/edge\n"
				  "4:cpu,cpuacct:/kubepods/pod1/edge\n"
				  "0::/system.slice/containerd.service\n");

	cr_assert(eq(i64, c.memory, 256 << 20));
	cr_assert(eq(i64, c.cpu_milli, 250));
}

Test(cgroup, of_version_1_without_a_namespace_is_mounted_as_the_root)
{
	put("memory/memory.limit_in_bytes", "67108864\n");
	cr_assert(
		eq(i64, read_as("9:memory:/docker/0123456789abcdef\n").memory, 64 << 20));
}

Test(cgroup, whose_path_leads_out_of_the_mount_is_read_at_the_root)
{
	put("memory.max", "67108864\n");
	cr_assert(eq(i64, read_as("0::/../../elsewhere\n").memory, 64 << 20));
}

Test(cgroup, limits_nothing_when_its_files_are_missing_or_malformed)
{
	put("memory.max", "a lot\n");
	put("cpu.max", "100000\n");

	struct cgroup c = read_as("no colons here\n0::/\n7:memory\n");

	cr_assert(eq(i64, c.memory, CGROUP_UNLIMITED));
	cr_assert(eq(i64, c.cpu_milli, CGROUP_UNLIMITED));
	cr_assert(eq(i64, cgroup_read_from("/nowhere", root).memory, CGROUP_UNLIMITED));
}

Test(cgroup, gives_a_share_of_its_memory_up_to_what_there_is_without_a_limit)
{
	struct cgroup none = {0}, small = {.memory = 256 << 20},
		      large = {.memory = 8LL << 30};

	cr_assert(eq(i64, cgroup_share(&none, 4, 512 << 20), 512 << 20));
	cr_assert(eq(i64, cgroup_share(&small, 4, 512 << 20), 64 << 20));
	cr_assert(eq(i64, cgroup_share(&large, 4, 512 << 20), 512 << 20));
}
