#include "cli/up/folder.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOG_TAIL = 2000 }; /* bytes */

static void remove_left_behind(void);
static bool take_run(struct folder *f);
static bool take_data(struct folder *f, const char *data, const char *what);
static bool take_project(struct folder *f, const char *project);
static void forget_data(const struct folder *f);
static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at);

static bool make_temporary(struct folder *f)
{
	f->data = xasprintf("%s/data", f->run);
	if (mkdir(f->data, 0700) == 0)
		return true;
	fprintf(stderr, "gatepost up: cannot make %s: %s\n", f->data, strerror(errno));
	return false;
}

bool folder_make(struct folder *f, const struct folder_plan *plan)
{
	bool ok;

	remove_left_behind();
	*f = (struct folder){
		.run = xstrdup(P_tmpdir "/gatepost-XXXXXX"),
		.mine = -1,
		.lock = -1,
	};
	if (mkdtemp(f->run) == NULL) {
		fprintf(stderr, "gatepost up: cannot make a folder in %s: %s\n", P_tmpdir,
			strerror(errno));
		free(f->run);
		f->run = NULL;
		return false;
	}
	if (!take_run(f))
		return false;
	if (plan->data)
		ok = take_data(f, plan->data, "--data ");
	else
		ok = plan->project ? take_project(f, plan->project) : make_temporary(f);
	if (ok && plan->fresh)
		forget_data(f);
	return ok;
}

/*
 * It is locked before it has its name: a process that can lock a folder of this name knows that its
 * owner has died.
 */
static bool take_run(struct folder *f)
{
	char *early = xasprintf("%s/lock.new", f->run);
	char *name = xasprintf("%s/lock", f->run);
	bool ok;

	f->mine = open(early, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	ok = f->mine != -1 && flock(f->mine, LOCK_EX | LOCK_NB) == 0 &&
	     rename(early, name) == 0;
	if (!ok)
		fprintf(stderr, "gatepost up: cannot make %s: %s\n", name,
			strerror(errno));
	free(early);
	free(name);
	return ok;
}

/* Is it ours to remove? A link, or another user's, is not; nor one whose owner lives. */
static bool is_left_behind(const char *run)
{
	char *name = xasprintf("%s/lock", run);
	int fd = open(name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	bool left = fd != -1 && lstat(run, &st) == 0 && S_ISDIR(st.st_mode) &&
		    st.st_uid == geteuid() && flock(fd, LOCK_EX | LOCK_NB) == 0;

	if (fd != -1)
		close(fd);
	free(name);
	return left;
}

static void remove_left_behind(void)
{
	glob_t found;

	if (glob(P_tmpdir "/gatepost-??????", GLOB_NOSORT, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (is_left_behind(found.gl_pathv[i]))
			nftw(found.gl_pathv[i], remove_one, 16, FTW_DEPTH | FTW_PHYS);
	globfree(&found);
}

static bool take_data(struct folder *f, const char *data, const char *what)
{
	f->keep = true;
	if (mkdir(data, 0700) == -1 && errno != EEXIST) {
		fprintf(stderr, "gatepost up: cannot make the folder %s%s: %s\n", what,
			data, strerror(errno));
		return false;
	}
	f->lock = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->lock == -1 || access(data, W_OK | X_OK) == -1) {
		fprintf(stderr, "gatepost up: cannot write in the folder %s%s: %s\n",
			what, data, strerror(errno));
		return false;
	}
	if (flock(f->lock, LOCK_EX | LOCK_NB) == -1) {
		fprintf(stderr,
			"gatepost up: another `gatepost up` uses %s: stop it, or set "
			"another --data\n",
			data);
		return false;
	}
	f->data = xstrdup(data);
	return true;
}

/* So that no data of a developer's machine gets into the repository. */
static void write_ignore(const char *data)
{
	char *path = xasprintf("%s/.gitignore", data);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd != -1) {
		(void)!write(fd, "*\n", 2); /* it stays out of git, or is seen there */
		close(fd);
	}
	free(path);
}

static bool take_project(struct folder *f, const char *project)
{
	char *data = xasprintf("%s/.gatepost", project);
	bool ok;

	if (access(project, W_OK | X_OK) == -1 && access(data, W_OK | X_OK) == -1) {
		fprintf(stderr,
			"gatepost up: cannot write in %s: data is not kept; set --data "
			"to "
			"keep it\n",
			project);
		ok = make_temporary(f);
	} else {
		ok = take_data(f, data, "");
		if (ok)
			write_ignore(data);
	}
	free(data);
	return ok;
}

/* What Redis has written; the folder may have other files of the user's. */
static void forget_data(const struct folder *f)
{
	char *log = xasprintf("%s/appendonlydir", f->data);
	char *dump = xasprintf("%s/dump.rdb", f->data);

	nftw(log, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	unlink(dump);
	free(log);
	free(dump);
}

void folder_remove(struct folder *f)
{
	if (f->run) {
		nftw(f->run, remove_one, 16, FTW_DEPTH | FTW_PHYS);
		if (f->mine != -1)
			close(f->mine);
		if (f->lock != -1)
			close(f->lock);
	}
	free(f->run);
	free(f->data);
	*f = (struct folder){.mine = -1, .lock = -1};
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
