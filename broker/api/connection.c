/*
 * One connection, down the page:
 *
 *   connection_post, _get or _delete → (its edge) → on_posted, on_got, on_deleted
 */
#include "broker/api/connection.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "broker/api/answer.h"
#include "http/query.h"
#include "json/read.h"
#include "ws/close_code.h"

#include <assert.h>
#include <stdlib.h>

static void on_posted(void *arg, enum err e, const Gatepost__Outcome *o);
static void on_got(void *arg, enum err e, const Gatepost__Outcome *o);
static void on_deleted(void *arg, enum err e, const Gatepost__Outcome *o);

/* A request that waits for its command. */
struct asker {
	struct http_request *request;
	struct command *command;
};

static void on_gone(void *arg)
{
	struct asker *a = arg;

	command_cancel(a->command);
	free(a);
}

static struct asker *wait_for(struct http_request *q)
{
	struct asker *a = xcalloc(1, sizeof *a);

	a->request = q;
	http_keep(q, on_gone, a);
	return a;
}

static struct http_request *wake(struct asker *a)
{
	struct http_request *q = a->request;

	free(a);
	return q;
}

/* ---- POST ---- */

bool connection_wants_binary(const struct http_request *q)
{
	const struct header *h = request_header(&q->head, "X-Gatepost-Binary");

	return h != NULL && span_is_nocase(h->value, "true");
}

void connection_post(struct commands *to, size_t max_post, struct http_request *q,
		     const struct id *id)
{
	struct push push = {q->body, false};
	struct asker *a;

	if (!answer_fits(q, q->body.n, max_post))
		return;
	/* Bytes that are no text cannot go in a text frame (RFC 6455 5.6). */
	push.binary = connection_wants_binary(q) || !utf8_check(q->body);
	a = wait_for(q);
	a->command = command_send(to, id, &push, on_posted, a);
}

static void on_posted(void *arg, enum err e, const Gatepost__Outcome *o)
{
	struct http_request *q = wake(arg);

	(void)o;
	if (e == OK)
		answer_empty(q, 200);
	else
		answer_err(q, e);
}

/* ---- GET ---- */

void connection_get(struct commands *to, struct http_request *q, const struct id *id)
{
	struct asker *a = wait_for(q);

	a->command = command_get(to, id, on_got, a);
}

static void print_look(struct evbuffer *body, const Gatepost__Context *x,
		       int64_t active_ms)
{
	char connected[CLOCK_ISO], active[CLOCK_ISO];

	clock_iso(x->connected_at_ms, connected);
	clock_iso(active_ms, active);
	evbuffer_add_printf(
		body, "{\"connectedAt\":\"%s\",\"identity\":{\"sourceIp\":", connected);
	json_escape(span_from(x->source_ip), body);
	evbuffer_add_printf(body, ",\"userAgent\":");
	json_escape(span_from(x->user_agent), body);
	evbuffer_add_printf(body, "},\"lastActiveAt\":\"%s\"}", active);
}

static void on_got(void *arg, enum err e, const Gatepost__Outcome *o)
{
	struct http_request *q = wake(arg);
	Gatepost__Context *x =
		e == OK ? gatepost__context__unpack(NULL, o->context.len, o->context.data)
			: NULL;
	struct evbuffer *body;

	if (x == NULL) {
		answer_err(q, e == OK ? ERR_DOWN : e);
		return;
	}
	body = evbuffer_new();
	assert(body != NULL);
	print_look(body, x, o->last_active_ms);
	gatepost__context__free_unpacked(x, NULL);
	answer_json(q, 200, body);
	evbuffer_free(body);
}

/* ---- DELETE ---- */

/* ?code=4001&reason=…; both may be left out. */
struct close_request {
	char *code, *reason;
	uint16_t number;
};

/* NULL when all is well, else what is wrong. */
static const char *fault_of(struct close_request *f)
{
	char *end = NULL;
	unsigned long n = f->code ? strtoul(f->code, &end, 10) : 1000;
	struct span reason = span_str(f->reason ? f->reason : "");

	if (f->code != NULL && (f->code[0] < '0' || f->code[0] > '9' || *end != '\0'))
		return "code is not a number";
	if (n > UINT16_MAX || !close_code_is_allowed((uint32_t)n))
		return "code cannot be in a close frame: give 1000 to 1003, 1007 to "
		       "1014, or 3000 to 4999";
	if (reason.n > CLOSE_REASON_MOST)
		return "reason is longer than 123 bytes";
	if (!utf8_check(reason))
		return "reason is not UTF-8";
	f->number = (uint16_t)n;
	return NULL;
}

void connection_delete(struct commands *to, struct http_request *q, const struct id *id)
{
	struct close_request f = {query_parameter(q->head.query, "code"),
				  query_parameter(q->head.query, "reason"), 0};
	const char *fault = fault_of(&f);
	const char *reason = f.reason ? f.reason
			     : f.code ? ""
				      : "Connection Closed Normally";
	struct asker *a;

	if (fault != NULL) {
		answer_bad(q, "%s", fault);
	} else {
		a = wait_for(q);
		a->command = command_close(to, id, f.number, reason, on_deleted, a);
	}
	free(f.code);
	free(f.reason);
}

static void on_deleted(void *arg, enum err e, const Gatepost__Outcome *o)
{
	struct http_request *q = wake(arg);

	(void)o;
	if (e == OK)
		answer_empty(q, 204);
	else
		answer_err(q, e);
}
