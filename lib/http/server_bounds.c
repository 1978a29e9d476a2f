#include "http/server_internal.h"

#include <sys/resource.h>

size_t server_bounds_connections(size_t wanted)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur / 2 < wanted ? (size_t)limit.rlim_cur / 2 : wanted;
}

void http_count_refusals(struct metrics *m, const char *name, const char *help,
			 struct metric *out[HTTP_REFUSALS])
{
	static const char *const labels[HTTP_REFUSALS] = {
		[HTTP_REFUSED_CONNECTIONS] = "why=\"connections\"",
		[HTTP_REFUSED_REQUESTS] = "why=\"requests\"",
		[HTTP_REFUSED_MEMORY] = "why=\"memory\"",
		[HTTP_REFUSED_LATE] = "why=\"late\"",
		[HTTP_REFUSED_IDLE] = "why=\"idle\"",
		[HTTP_REFUSED_MALFORMED] = "why=\"malformed\"",
		[HTTP_REFUSED_TOO_LARGE] = "why=\"too large\"",
	};

	for (size_t i = 0; i < HTTP_REFUSALS; i++)
		out[i] = metric_counter(m, name, labels[i], help);
}

void server_bounds_count(struct http_server *s, enum http_refusal of)
{
	metric_add(s->conf.refused[of], 1);
}

size_t http_connections(const struct http_server *s)
{
	return s->n;
}

size_t http_waiting(const struct http_server *s)
{
	return s->waiting;
}

uint64_t http_held(const struct http_server *s)
{
	return s->held;
}

bool http_has_capacity(struct http_server *s, uint64_t own)
{
	bool yes = s->held <= own || s->held - own <= s->conf.memory;

	if (!yes)
		server_bounds_count(s, HTTP_REFUSED_MEMORY);
	return yes;
}

void http_hold(struct http_server *s, uint64_t bytes)
{
	s->held += bytes;
}

void http_release(struct http_server *s, uint64_t bytes)
{
	s->held -= bytes;
}

void server_bounds_recount(struct http_connection *c)
{
	uint64_t now = c->in.n - c->in.at;

	if (c->work != NULL)
		now += c->work->head_n + c->work->n;
	if (c->out != NULL)
		now += evbuffer_get_length(c->out);
	c->server->held += now;
	c->server->held -= c->held;
	c->held = now;
}

void server_bounds_set_listening(struct http_server *s, bool full, bool paused)
{
	bool was = !s->is_full && !s->is_paused;

	s->is_full = full;
	s->is_paused = paused;
	if (was == (!full && !paused))
		return;
	for (size_t i = 0; i < s->n_listeners; i++)
		if (was)
			event_del(s->listeners[i]);
		else
			event_add(s->listeners[i], NULL);
}
