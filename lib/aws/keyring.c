#include "aws/keyring.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOOK_MS = 1000, FILE_MOST = 1 << 20, WHY = 200 };

struct keyring {
	char *path;
	struct credentials *credentials;
	struct stat seen; /* when it was read last, whatever came of it */
	struct timer *timer;
};

static void on_reload(void *arg);
static void on_look(void *arg);

/* Is the file's mode safe? NULL if it is, else why not. */
static const char *mode_fault(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "not a file";
	if (st->st_size > FILE_MOST)
		return "larger than 1 MiB";
	return secret_file_is_kept(st) ? NULL : secret_file_fault;
}

/* All of it into text, of which n bytes are there. */
static bool read_all(int fd, char *text, size_t n, size_t *got)
{
	ssize_t k;

	for (*got = 0; *got < n; *got += (size_t)k) {
		k = read(fd, text + *got, n - *got);
		if (k < 0)
			return false;
		if (k == 0)
			break;
	}
	return true;
}

static struct credentials *parse(int fd, size_t size, char why[WHY])
{
	struct credentials *c = NULL;
	char *text = xmalloc(size + 1);
	size_t n;

	if (!read_all(fd, text, size, &n))
		snprintf(why, WHY, "%s", strerror(errno));
	else if (credentials_parse(span_of(text, n), &c, why, WHY) != OK)
		c = NULL;
	OPENSSL_cleanse(text, size + 1);
	free(text);
	return c;
}

/* NULL with a sentence in why. */
static struct credentials *load(struct keyring *k, char why[WHY])
{
	struct credentials *c = NULL;
	int fd = open(k->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const char *fault;

	k->seen = (struct stat){0};
	if (fd < 0 || fstat(fd, &k->seen) != 0) {
		snprintf(why, WHY, "%s", strerror(errno));
	} else {
		fault = mode_fault(&k->seen);
		if (fault != NULL)
			snprintf(why, WHY, "%s", fault);
		else
			c = parse(fd, (size_t)k->seen.st_size, why);
	}
	if (fd >= 0)
		close(fd);
	return c;
}

struct keyring *keyring_new(struct loop *l, const char *path)
{
	struct keyring *k = xcalloc(1, sizeof *k);
	char why[WHY];

	k->path = xstrdup(path);
	k->credentials = load(k, why);
	if (k->credentials == NULL) {
		log_error("credentials.failed", S("file", path), S("why", why),
			  S("hint",
			    "set --credentials to a file as in docs/management.md"));
		keyring_free(k);
		return NULL;
	}
	k->timer = timer_new(l, on_look, k);
	timer_every(k->timer, LOOK_MS);
	loop_on_reload(l, on_reload, k);
	return k;
}

void keyring_free(struct keyring *k)
{
	if (k == NULL)
		return;
	timer_free(k->timer);
	credentials_free(k->credentials);
	free(k->path);
	free(k);
}

static void on_reload(void *arg)
{
	struct keyring *k = arg;
	char why[WHY];
	struct credentials *c = load(k, why);

	if (c == NULL) {
		log_error(
			"credentials.rejected", S("file", k->path), S("why", why),
			S("hint", "fix the file; the previous credentials stay active"));
		return;
	}
	credentials_free(k->credentials);
	k->credentials = c;
	log_info("credentials.loaded", S("file", k->path),
		 I("callers", credentials_count(c)));
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size && a->st_mode == b->st_mode &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* One that is missing for a moment is being replaced: the next look finds it. */
static void on_look(void *arg)
{
	struct keyring *k = arg;
	struct stat now;

	if (stat(k->path, &now) == 0 && !is_same(&now, &k->seen))
		on_reload(k);
}

const struct credential *keyring_key(struct keyring *k, struct span id)
{
	const struct credential *c = credentials_of_key(k->credentials, id);

	if (c == NULL) {
		on_look(k);
		c = credentials_of_key(k->credentials, id);
	}
	return c;
}

const struct credentials *keyring_credentials(const struct keyring *k)
{
	return k->credentials;
}
