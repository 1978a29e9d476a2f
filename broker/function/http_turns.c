#include "broker/function/http_turns.h"

#include "base/map.h"
#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct http_turns {
	size_t most;
	struct map *hosts;
};

/* It exists while requests use it. */
struct http_host {
	size_t n;    /* those that have a turn */
	size_t n_in; /* and those that wait */
	struct shares *shares;
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
	h->shares = shares_new();
	h->name_n = name.n;
	memcpy(h->name, name.p, name.n);
	map_put(ts->hosts, span_of(h->name, h->name_n), h);
	return h;
}

/* The next one, if the host has a free turn. */
static struct http_turn *next_turn(struct http_turns *ts, struct http_host *h)
{
	struct share *s = NULL;

	if (h->n < ts->most)
		s = shares_next(h->shares, h->n < ts->most - ts->most / 2);
	if (s == NULL)
		return NULL;
	shares_begin(h->shares, s);
	h->n++;
	return s->owner;
}

bool http_turns_join(struct http_turns *ts, const char *url, struct span who,
		     struct http_turn *t)
{
	struct http_host *h = find(ts, origin(url));
	struct http_turn *next;

	assert(t->host == NULL);
	t->host = h;
	t->share.owner = t;
	h->n_in++;
	shares_wait(h->shares, &t->share, who, false);
	next = next_turn(ts, h);
	assert(next == NULL ||
	       next == t); /* those that waited before have no turn either */
	return next == t;
}

struct http_turn *http_turns_leave(struct http_turns *ts, struct http_turn *t)
{
	struct http_host *h = t->host;
	struct http_turn *next;

	t->host = NULL;
	h->n -= !t->share.is_waiting;
	h->n_in--;
	shares_leave(h->shares, &t->share);
	next = next_turn(ts, h);
	if (h->n_in == 0) {
		map_remove(ts->hosts, span_of(h->name, h->name_n));
		shares_free(h->shares);
		free(h);
	}
	return next;
}
