/*
 * One connection, down the page:
 *
 *   management_post, _look or _remove → (its edge) → on_posted, on_looked, on_removed
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "broker/cluster/commands.h"
#include "json/read.h"
#include "broker/api/internal.h"
#include "proto/close.h"

#include <stdlib.h>

static void on_posted(void *arg, enum err e, const Gatepost__Outcome *o);
static void on_looked(void *arg, enum err e, const Gatepost__Outcome *o);
static void on_removed(void *arg, enum err e, const Gatepost__Outcome *o);

/* A request that waits for its command. */
struct asker {
	struct waiting waiting; /* the first member */
	struct command *command;
};

static void on_asker_gone(struct waiting *w)
{
	struct asker *a = (struct asker *)(void *)w;

	command_cancel(a->command);
	free(a);
}

static struct asker *wait_for(struct management *m, struct evhttp_request *req)
{
	struct asker *a = xcalloc(1, sizeof *a);

	waiting_begin(&a->waiting, m, req, on_asker_gone);
	return a;
}

static struct evhttp_request *wake(struct asker *a)
{
	struct evhttp_request *req = waiting_end(&a->waiting);

	free(a);
	return req;
}

/* ---- POST ---- */

void management_post(struct management *m, struct evhttp_request *req,
		     const struct id *id)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(req);
	size_t n = evbuffer_get_length(in);
	struct span body = span_of(evbuffer_pullup(in, -1), n);
	struct push push = {body, false};
	struct asker *a;

	if (!answer_fits(m, req, n))
		return;
	/* Bytes that are no text cannot go in a text frame (RFC 6455 5.6). */
	push.binary = wants_binary(req) || !utf8_check(body);
	a = wait_for(m, req);
	a->command = command_send(m->broker->commands, id, &push, on_posted, a);
}

static void on_posted(void *arg, enum err e, const Gatepost__Outcome *o)
{
	struct evhttp_request *req = wake(arg);

	(void)o;
	if (e == OK)
		evhttp_send_reply(req, 200, "OK", NULL);
	else
		answer_err(req, e);
}

/* ---- GET ---- */

void management_look(struct management *m, struct evhttp_request *req,
		     const struct id *id)
{
	struct asker *a = wait_for(m, req);

	a->command = command_look(m->broker->commands, id, on_looked, a);
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

static void on_looked(void *arg, enum err e, const Gatepost__Outcome *o)
{
	struct evhttp_request *req = wake(arg);
	Gatepost__Context *x =
		e == OK ? gatepost__context__unpack(NULL, o->context.len, o->context.data)
			: NULL;
	struct evbuffer *body;

	if (x == NULL) {
		answer_err(req, e == OK ? ERR_DOWN : e);
		return;
	}
	body = evbuffer_new();
	print_look(body, x, o->last_active_ms);
	gatepost__context__free_unpacked(x, NULL);
	answer_json(req, 200, "OK", body);
	evbuffer_free(body);
}

/* ---- DELETE ---- */

/* ?code=4001&reason=…; both may be left out. */
struct farewell {
	char *code, *reason;
	uint16_t number;
};

/* NULL when all is well, else what is wrong. */
static const char *fault_of(struct farewell *f)
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

void management_remove(struct management *m, struct evhttp_request *req,
		       const struct id *id)
{
	struct farewell f = {query_parameter(req, "code"), query_parameter(req, "reason"),
			     0};
	const char *fault = fault_of(&f);
	const char *reason = f.reason ? f.reason
			     : f.code ? ""
				      : "Connection Closed Normally";
	struct asker *a;

	if (fault != NULL) {
		answer_bad(req, "%s", fault);
	} else {
		a = wait_for(m, req);
		a->command = command_close(m->broker->commands, id, f.number, reason,
					   on_removed, a);
	}
	free(f.code);
	free(f.reason);
}

static void on_removed(void *arg, enum err e, const Gatepost__Outcome *o)
{
	struct evhttp_request *req = wake(arg);

	(void)o;
	if (e == OK)
		evhttp_send_reply(req, 204, "No Content", NULL);
	else
		answer_err(req, e);
}
