/*
 * An answer: begin_answer → write_answer → the connection's next request, or its end
 */
#include "http/server_internal.h"

#include "base/blob.h"
#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

/* RFC 9110 5.6.7, 6.6.1. */
static struct span date(struct http_server *s)
{
	time_t now = time(NULL);
	struct tm tm;

	if (now != s->date_of) {
		gmtime_r(&now, &tm);
		strftime(s->date, sizeof s->date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
		s->date_of = now;
	}
	return span_str(s->date);
}

struct answer {
	int status;
	const struct response_header *h;
	size_t n;
	struct span body;
	struct evbuffer *buffer; /* in its place; NULL: none */
};

static struct blob *answer_blob(struct http_connection *c, const struct answer *a,
				unsigned flags)
{
	struct response_header h[HTTP_HEADERS + 1];

	assert(a->n <= HTTP_HEADERS);
	h[0] = (struct response_header){span_str("Date"), date(c->server)};
	if (a->n > 0)
		memcpy(h + 1, a->h, a->n * sizeof *h);
	if (a->buffer == NULL)
		return response_blob(a->status, h, a->n + 1, a->body, flags);
	return response_blob(a->status, h, a->n + 1,
			     span_of(NULL, evbuffer_get_length(a->buffer)),
			     flags | RESPONSE_HEAD_ONLY);
}

static void leave(struct http_connection *c)
{
	c->server->leaving += !c->leaving;
	c->leaving = true;
	server_connection_set_open(c, false);
}

/* Another request may follow one that came whole; a client that sends no more has at most what is here. */
static bool goes_on(const struct http_connection *c)
{
	const struct work *w = c->work;

	return w != NULL && w->is_whole && w->request.head.keep_alive &&
	       !(c->half_closed && server_connection_input(c).n == 0);
}

static void begin_answer(struct http_connection *c, bool last)
{
	c->state = ANSWER;
	c->begun_ms = 0;
	c->since_ms = loop_now(c->server->loop);
	if (last)
		leave(c);
	else
		server_connection_set_open(c, true);
}

static void write_answer(struct http_connection *c, const struct answer *a,
			 unsigned flags)
{
	struct blob *b = answer_blob(c, a, flags);

	if (a->buffer != NULL && !(flags & RESPONSE_HEAD_ONLY) &&
	    response_has_body(a->status)) {
		evbuffer_add(server_connection_output(c), b->p, b->n);
		evbuffer_add_buffer(c->out, a->buffer);
		server_connection_flush(c);
	} else {
		server_connection_send(c, blob_span(b));
	}
	blob_unref(b);
}

static void answer(struct http_connection *c, const struct answer *a)
{
	bool again = goes_on(c);
	bool head = c->work != NULL && span_is(c->work->request.head.method, "HEAD");

	if (c->state != GONE) {
		begin_answer(c, !again);
		write_answer(c, a,
			     (again ? RESPONSE_KEEP_ALIVE : 0) |
				     (head ? RESPONSE_HEAD_ONLY : 0));
	}
	server_connection_end_work(c); /* the body of the answer may lie in it */
	if (c->leaving && !c->feeding)
		server_connection_use(c, c->in.n);
	server_bounds_recount(c);
	if (c->feeding)
		return;
	if (c->in.n > 0 && c->state == HEAD)
		server_connection_add_todo(c);
	server_connection_update(c);
}

void http_reply(struct http_request *q, int status, const struct response_header *h,
		size_t n, struct span body)
{
	answer(q->connection, &(struct answer){status, h, n, body, NULL});
}

void http_reply_buffer(struct http_request *q, int status,
		       const struct response_header *h, size_t n, struct evbuffer *body)
{
	answer(q->connection, &(struct answer){status, h, n, span_of(NULL, 0), body});
	evbuffer_drain(body, evbuffer_get_length(body));
}

void server_answer_refuse(struct http_connection *c, enum http_refusal of, int status,
			  const char *why)
{
	struct http_server *s = c->server;
	struct response_header h[2 + HTTP_REFUSAL_HEADERS];
	size_t n = 0;
	char *text = xasprintf("{\"message\":\"%s\"}", why);

	server_bounds_count(s, of);
	h[n++] = HTTP_HEADER("Content-Type", "application/json");
	if (status == 503)
		h[n++] = HTTP_HEADER("Retry-After", "1");
	if (s->conf.refusal != NULL)
		n += s->conf.refusal(s->arg, status, why, h + n);
	answer(c, &(struct answer){status, h, n, span_str(text), NULL});
	free(text);
}
