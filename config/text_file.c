#include "config/text_file.h"

#include "base/mem.h"
#include "base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err open_regular(const char *path, int *fd, size_t *n, const char **why);
static enum err read_all(int fd, char *room, size_t *n, const char **why);
static enum err check_text(const char *text, size_t n, const char **why, int *line);

enum err text_file_read(const char *path, char **out, size_t *n, const char **why,
			int *line)
{
	int fd = -1;
	enum err e = open_regular(path, &fd, n, why);

	*line = 0;
	if (e != OK)
		return e;
	*out = xmalloc(*n + 1);
	e = read_all(fd, *out, n, why);
	close(fd);
	(*out)[*n] = '\0';
	if (e == OK)
		e = check_text(*out, *n, why, line);
	if (e != OK) {
		free(*out);
		*out = NULL;
	}
	return e;
}

/* Not a pipe, which could block, and not a folder. n gets its size. */
static enum err open_regular(const char *path, int *fd, size_t *n, const char **why)
{
	enum err e = ERR_DENIED;
	struct stat s;

	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (*fd < 0) {
		bool none = errno == ENOENT || errno == ENOTDIR;

		*why = none ? "there is no such file" : strerror(errno);
		return none ? ERR_NOTFOUND : ERR_DENIED;
	}
	if (fstat(*fd, &s) != 0 || !S_ISREG(s.st_mode)) {
		*why = "is not a regular file";
	} else if (s.st_size > TEXT_FILE_MOST) {
		*why = "is larger than 4 MiB";
		e = ERR_TOOBIG;
	} else {
		*n = (size_t)s.st_size;
		return OK;
	}
	close(*fd);
	return e;
}

/* At most n bytes; n gets how many there were. */
static enum err read_all(int fd, char *room, size_t *n, const char **why)
{
	size_t most = *n;

	*n = 0;
	while (*n < most) {
		ssize_t got = read(fd, room + *n, most - *n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			*why = strerror(errno);
			return ERR_DENIED;
		}
		if (got == 0)
			break;
		*n += (size_t)got;
	}
	return OK;
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
