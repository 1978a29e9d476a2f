#include "cli/folder.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOG_TAIL = 2000 }; /* bytes */

static bool take_data(struct folder *f, const char *data);
static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at);

bool folder_make(struct folder *f, const char *data)
{
	*f = (struct folder){.lock = -1, .run = xstrdup(P_tmpdir "/gatepost-XXXXXX")};
	if (mkdtemp(f->run) == NULL) {
		fprintf(stderr, "gatepost up: cannot make a folder in %s: %s\n", P_tmpdir,
			strerror(errno));
		free(f->run);
		f->run = NULL;
		return false;
	}
	if (data)
		return take_data(f, data);

	f->data = xasprintf("%s/data", f->run);
	if (mkdir(f->data, 0700) == 0)
		return true;
	fprintf(stderr, "gatepost up: cannot make %s: %s\n", f->data, strerror(errno));
	return false;
}

static bool take_data(struct folder *f, const char *data)
{
	f->keep = true;
	if (mkdir(data, 0700) == -1 && errno != EEXIST) {
		fprintf(stderr, "gatepost up: cannot make the folder --data %s: %s\n",
			data, strerror(errno));
		return false;
	}
	f->lock = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->lock == -1 || access(data, W_OK | X_OK) == -1) {
		fprintf(stderr, "gatepost up: cannot write in the folder --data %s: %s\n",
			data, strerror(errno));
		return false;
	}
	if (flock(f->lock, LOCK_EX | LOCK_NB) == -1) {
		fprintf(stderr,
			"gatepost up: another `gatepost up` keeps its data in %s: "
			"stop it, or choose another --data\n",
			data);
		return false;
	}
	f->data = xstrdup(data);
	return true;
}

void folder_remove(struct folder *f)
{
	if (f->run) {
		nftw(f->run, remove_one, 16, FTW_DEPTH | FTW_PHYS);
		if (f->lock != -1)
			close(f->lock);
	}
	free(f->run);
	free(f->data);
	*f = (struct folder){.lock = -1};
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	remove(path);
	return 0; /* what cannot be removed stays; the rest still goes */
}

void folder_show_redis_log(const struct folder *f)
{
	char text[LOG_TAIL + 1];
	char *path = xasprintf("%s/redis.log", f->run);
	FILE *in = fopen(path, "re");

	free(path);
	if (in == NULL)
		return;
	if (fseek(in, -LOG_TAIL, SEEK_END) == -1)
		rewind(in);
	text[fread(text, 1, LOG_TAIL, in)] = '\0';
	fclose(in);
	for (char *at, *line = strtok_r(text, "\n", &at); line;
	     line = strtok_r(NULL, "\n", &at))
		fprintf(stderr, "redis: %s\n", line);
}
