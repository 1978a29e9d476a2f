#include "config/text_file.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err open_regular(const char *path, int *fd, const char **why);
static enum err read_all(int fd, char *room, size_t *n, const char **why);
static enum err check_text(const char *text, size_t n, const char **why, int *line);

enum err text_file_read(const char *path, char **out, size_t *n, const char **why,
			int *line)
{
	int fd = -1;
	enum err e = open_regular(path, &fd, why);

	*line = 0;
	if (e != OK)
		return e;
	*out = xmalloc(TEXT_FILE_MOST + 1);
	e = read_all(fd, *out, n, why);
	close(fd);
	if (e == OK)
		e = check_text(*out, *n, why, line);
	if (e == OK) {
		*out = xrealloc(*out, *n + 1);
		(*out)[*n] = '\0';
	} else {
		free(*out);
		*out = NULL;
	}
	return e;
}

/* Not a pipe that nobody writes to, and not a folder. */
static enum err open_regular(const char *path, int *fd, const char **why)
{
	struct stat s;

	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (*fd < 0) {
		*why = errno == ENOENT ? "there is no such file" : strerror(errno);
		return errno == ENOENT || errno == ENOTDIR ? ERR_NOTFOUND : ERR_DENIED;
	}
	if (fstat(*fd, &s) == 0 && S_ISREG(s.st_mode))
		return OK;
	close(*fd);
	*why = "is not a regular file";
	return ERR_DENIED;
}

static enum err read_all(int fd, char *room, size_t *n, const char **why)
{
	*n = 0;
	while (*n <= TEXT_FILE_MOST) {
		ssize_t got = read(fd, room + *n, TEXT_FILE_MOST + 1 - *n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			*why = strerror(errno);
			return ERR_DENIED;
		}
		if (got == 0)
			return OK;
		*n += (size_t)got;
	}
	*why = "is larger than 4 MiB";
	return ERR_TOOBIG;
}

static enum err check_text(const char *text, size_t n, const char **why, int *line)
{
	int at = 1;

	for (size_t begin = 0; begin < n; at++) {
		const char *end = memchr(text + begin, '\n', n - begin);
		size_t length = end ? (size_t)(end - text) - begin : n - begin;

		*line = at;
		*why = "is not UTF-8 text";
		if (!utf8_check(span_of(text + begin, length)))
			return ERR_MALFORMED;
		*why = "has a zero byte";
		if (memchr(text + begin, '\0', length))
			return ERR_MALFORMED;
		begin += length + 1;
	}
	*line = 0;
	return OK;
}
