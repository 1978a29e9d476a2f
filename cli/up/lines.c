#include "cli/up/lines.h"

#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	MOST = 8192, /* bytes of a line; a longer one becomes two */
	TURN = 16,   /* reads in one callback */
};

struct lines {
	char *name;
	bool json;
	int in, end;
	struct event *readable;
	size_t n;
	char text[MOST];
};

static void on_readable(evutil_socket_t fd, short what, void *arg);
static bool take(struct lines *s);

struct lines *lines_new(struct loop *l, const char *name, bool json)
{
	int ends[2];
	struct lines *s;

	if (pipe2(ends, O_CLOEXEC) == -1)
		return NULL;
	s = xcalloc(1, sizeof *s);
	s->name = xstrdup(name);
	s->json = json;
	s->in = ends[0];
	s->end = ends[1];
	fcntl(s->in, F_SETFL, O_NONBLOCK);
	s->readable =
		event_new(loop_base(l), s->in, EV_READ | EV_PERSIST, on_readable, s);
	event_add(s->readable, NULL);
	return s;
}

int lines_end(const struct lines *s)
{
	return s->end;
}

void lines_started(struct lines *s)
{
	close(s->end);
	s->end = -1;
}

static void write_line(const struct lines *s, struct span line)
{
	if (line.n == 0)
		return;
	if (s->json)
		log_info("function.output", S("name", s->name), B("line", line));
	else
		fprintf(stderr, "%s | %.*s\n", s->name, SPAN_ARG(line));
}

/* awslambdaric ends the lines of a stack trace with \r. */
static size_t end_of_line(struct span text)
{
	size_t i = 0;

	while (i < text.n && text.p[i] != '\n' && text.p[i] != '\r')
		i++;
	return i;
}

static void write_whole(struct lines *s)
{
	struct span rest = span_of(s->text, s->n);

	for (size_t n; (n = end_of_line(rest)) < rest.n;) {
		write_line(s, span_of(rest.p, n));
		rest = span_of(rest.p + n + 1, rest.n - n - 1);
	}
	if (rest.n == MOST) {
		write_line(s, rest);
		rest.n = 0;
	}
	memmove(s->text, rest.p, rest.n);
	s->n = rest.n;
}

/* False when there is nothing more for now. */
static bool take(struct lines *s)
{
	ssize_t n = read(s->in, s->text + s->n, MOST - s->n);

	if (n <= 0) {
		if (n == 0)
			event_del(s->readable);
		return false;
	}
	s->n += (size_t)n;
	write_whole(s);
	return true;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct lines *s = arg;

	(void)fd;
	(void)what;
	for (int i = 0; i < TURN && take(s);)
		i++;
}

void lines_free(struct lines *s)
{
	if (s == NULL)
		return;
	for (int i = 0; i < TURN && take(s);)
		i++;
	write_line(s, span_of(s->text, s->n));
	event_free(s->readable);
	close(s->in);
	if (s->end != -1)
		close(s->end);
	free(s->name);
	free(s);
}
