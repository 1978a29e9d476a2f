#include "broker/http_turns.h"

#include "base/map.h"
#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct http_turns {
	size_t most;
	struct map *hosts;
};

/* It lives for as long as anybody asks it. */
struct http_host {
	size_t n; /* whose turn it is */
	TAILQ_HEAD(, http_turn) waiting;
	size_t name_n;
	char name[];
};

struct http_turns *http_turns_new(size_t most)
{
	struct http_turns *ts = xcalloc(1, sizeof *ts);

	assert(most > 0);
	ts->most = most;
	ts->hosts = map_new();
	return ts;
}

void http_turns_free(struct http_turns *ts)
{
	if (ts == NULL)
		return;
	assert(map_size(ts->hosts) == 0);
	map_free(ts->hosts);
	free(ts);
}

/* "http://host:port" of a URL */
static struct span origin(const char *url)
{
	const char *host = strstr(url, "://");
	size_t before = host == NULL ? 0 : (size_t)(host - url) + 3;

	return span_of(url, before + strcspn(url + before, "/?#"));
}

static struct http_host *find(struct http_turns *ts, struct span name)
{
	struct http_host *h = map_find(ts->hosts, name);

	if (h != NULL)
		return h;
	h = xcalloc(1, sizeof *h + name.n);
	TAILQ_INIT(&h->waiting);
	h->name_n = name.n;
	memcpy(h->name, name.p, name.n);
	map_put(ts->hosts, span_of(h->name, h->name_n), h);
	return h;
}

bool http_turns_join(struct http_turns *ts, const char *url, struct http_turn *t)
{
	struct http_host *h = find(ts, origin(url));

	assert(t->host == NULL);
	t->host = h;
	t->is_waiting = h->n == ts->most;
	if (t->is_waiting)
		TAILQ_INSERT_TAIL(&h->waiting, t, in);
	else
		h->n++;
	return !t->is_waiting;
}

struct http_turn *http_turns_leave(struct http_turns *ts, struct http_turn *t)
{
	struct http_host *h = t->host;
	struct http_turn *next = NULL;

	t->host = NULL;
	if (t->is_waiting) {
		TAILQ_REMOVE(&h->waiting, t, in);
		t->is_waiting = false;
		return NULL; /* somebody has a turn, or it would not have waited */
	}
	next = TAILQ_FIRST(&h->waiting);
	if (next != NULL) {
		TAILQ_REMOVE(&h->waiting, next, in);
		next->is_waiting = false;
	} else if (--h->n == 0) {
		map_remove(ts->hosts, span_of(h->name, h->name_n));
		free(h);
	}
	return next;
}
