#include "cli/up/ready.h"

#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static json_t *describe(const struct endpoints *e, const struct supervisor *s);
static json_t *describe_child(const struct child *c);
static bool write_file(const char *path, const char *text);

void endpoints_close(struct endpoints *e)
{
	free(e->websocket);
	free(e->http);
	free(e->management);
	free(e->stage);
	free(e->redis);
	*e = (struct endpoints){0};
}

static void print_http(const struct endpoints *e, const struct config_http *h)
{
	const char *method = strcmp(h->method, "*") == 0 ? "any" : h->method;

	if (h->is_outside)
		printf("Demo         %s%s\n", e->http, h->path);
	else
		printf("HTTP         %s %s/%s%s\n", method, e->http, e->stage, h->path);
}

void ready_print(const struct endpoints *e, const struct config *c,
		 const struct supervisor *s)
{
	const struct child *k;

	printf("WebSocket    %s\n", e->websocket);
	for (size_t i = 0; i < c->n_http; i++)
		print_http(e, &c->http[i]);
	printf("Management   %s/@connections/{connectionId}\n", e->management);
	for (size_t at = 0; (k = supervisor_next(s, &at));)
		if (k->metrics)
			printf("Metrics      %s/metrics   (%s)\n", k->metrics, k->name);
	fflush(stdout);
}

bool ready_write(const char *path, const struct endpoints *e, const struct supervisor *s)
{
	json_t *ready = describe(e, s);
	char *text = json_dumps(ready, JSON_COMPACT);
	char *temporary = xasprintf("%s.tmp", path);
	bool ok = write_file(temporary, text) && rename(temporary, path) == 0;

	if (!ok) {
		int why = errno;

		unlink(temporary); /* it may be there, cut short by a full disk */
		errno = why;
		log_error("up.ready_file", S("path", path), S("why", strerror(errno)),
			  S("hint", "name a file in a folder that can be written"));
	}
	free(temporary);
	free(text);
	json_decref(ready);
	return ok;
}

static json_t *describe(const struct endpoints *e, const struct supervisor *s)
{
	json_t *processes = json_array();
	const struct child *c;

	for (size_t at = 0; (c = supervisor_next(s, &at));)
		json_array_append_new(processes, describe_child(c));
	return json_pack("{s:s, s:s, s:s, s:s, s:o}", "websocket", e->websocket, "http",
			 e->http, "management", e->management, "redis", e->redis,
			 "processes", processes);
}

static json_t *describe_child(const struct child *c)
{
	char *management = ready_management(c);
	json_t *j = json_pack("{s:s, s:s, s:i, s:s*, s:s*}", "name", c->name, "role",
			      role_name(c->role), "pid", (int)c->pid, "metrics",
			      c->metrics, "management", management);

	free(management);
	return j;
}

char *ready_management(const struct child *broker)
{
	/* The shared address comes first, and the broker's own last (up.c). */
	const char *comma = broker->management ? strrchr(broker->management, ',') : NULL;

	return comma ? xasprintf("http://%s", comma + 1) : NULL;
}

/* An almost full disk accepts a part first, and fails only then. */
static bool write_all(int fd, const char *text, size_t n)
{
	while (n > 0) {
		ssize_t k = write(fd, text, n);

		if (k == -1 && errno != EINTR)
			return false;
		text += k > 0 ? k : 0;
		n -= k > 0 ? (size_t)k : 0;
	}
	return true;
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd == -1)
		return false;

	bool whole = write_all(fd, text, strlen(text)) && write_all(fd, "\n", 1);
	int why = errno;
	bool closed = close(fd) == 0;
	if (!whole)
		errno = why;
	return closed && whole;
}
