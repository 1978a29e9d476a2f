#include "cli/up/peer.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

uint64_t peer_socket(uint16_t local, uint16_t remote)
{
	FILE *in = fopen("/proc/net/tcp", "re");
	char line[512];
	uint64_t inode = 0;

	if (in == NULL)
		return 0;
	while (inode == 0 && fgets(line, sizeof line, in)) {
		unsigned from, to;
		uint64_t at;

		if (sscanf(line,
			   "%*u: %*8x:%x %*8x:%x %*x %*x:%*x %*x:%*x %*x %*u %*u "
			   "%" SCNu64,
			   &from, &to, &at) == 3 &&
		    from == local && to == remote)
			inode = at;
	}
	fclose(in);
	return inode;
}

bool peer_has(pid_t pid, uint64_t socket)
{
	char path[64], wanted[64], link[64];
	bool found = false;
	DIR *d;

	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	snprintf(wanted, sizeof wanted, "socket:[%" PRIu64 "]", socket);
	d = opendir(path);
	if (d == NULL)
		return false;
	for (struct dirent *e; !found && (e = readdir(d)) != NULL;) {
		ssize_t n = readlinkat(dirfd(d), e->d_name, link, sizeof link - 1);

		link[n > 0 ? n : 0] = '\0';
		found = strcmp(link, wanted) == 0;
	}
	closedir(d);
	return found;
}
