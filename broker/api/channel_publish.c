/*
 *   channel_publish_one    read the order → publish → on_published
 *   channel_publish_many   read all orders → publish each → on_result … → answer
 */
#include "broker/api/channel_publish.h"

#include "base/mem.h"
#include "broker/api/answer.h"
#include "broker/api/channel_order.h"
#include "json/string.h"
#include "json/walk.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

static const struct failure too_large = {
	"too_large", "The data has more bytes than limits.message of its namespace",
	false};

/* ---- results ---- */

static void print_result(struct evbuffer *out, const struct published *p, bool receipt)
{
	const char *comma = "";

	evbuffer_add_printf(out, "{");
	if (p->position.epoch.n > 0) {
		evbuffer_add_printf(out, "\"epoch\":");
		json_escape(p->position.epoch, out);
		evbuffer_add_printf(out, ",\"offset\":%" PRId64, p->position.offset);
		comma = ",";
	}
	if (p->duplicate) {
		evbuffer_add_printf(out, "%s\"duplicate\":true", comma);
		comma = ",";
	}
	if (p->suppressed) {
		evbuffer_add_printf(out, "%s\"suppressed\":true", comma);
		comma = ",";
	}
	if (receipt)
		evbuffer_add_printf(out,
				    "%s\"edges\":%" PRIu32 ",\"connections\":%" PRIu32,
				    comma, p->edges, p->connections);
	evbuffer_add_printf(out, "}");
}

static void print_failure(struct evbuffer *out, const struct failure *f)
{
	evbuffer_add_printf(out, "{\"error\":{\"code\":\"%s\",\"message\":", f->code);
	json_escape(span_str(f->message), out);
	evbuffer_add_printf(out, ",\"retryable\":%s}}", f->retryable ? "true" : "false");
}

/* Publish o to this channel; NULL, or why it was refused at once: then fn is not called. */
static const struct failure *begin(struct channel_api *c, const struct channel_order *o,
				   struct span channel, publish_fn *fn, void *arg)
{
	struct publication p = o->publication;
	struct channel_target t;
	const struct failure *f = channel_api_find(c, channel, &t);

	if (f)
		return f;
	if (p.data.n > (size_t)t.ns->limits.message)
		return &too_large;
	p.ns = t.ns;
	p.channel = channel_api_name(&t);
	publish(c->uses.publishers, &p, fn, arg);
	return NULL;
}

/* The whole body as JSON. Answers q, and returns false, when it is none. */
static bool read_body(struct http_request *q, struct json_value *out)
{
	static const struct json_path whole = {NULL, 0};

	if (q->body.n > 0 && json_find(q->body, &whole, out) == OK &&
	    out->kind == JSON_IS_OBJECT)
		return true;
	answer_failure(q, &(struct failure){"bad_request",
					    "The body is not a JSON object", false});
	return false;
}

static void refuse(struct http_request *q, const char *why)
{
	answer_failure(q, &(struct failure){"bad_request", why, false});
}

/* ---- one ---- */

struct one {
	struct pending pending;
	bool receipt;
};

static void on_published(void *arg, const struct published *p)
{
	struct one *one = arg;
	struct http_request *q = pending_take(&one->pending);
	struct evbuffer *out;

	if (q && p->failure) {
		answer_failure(q, p->failure);
	} else if (q) {
		out = evbuffer_new();
		assert(out != NULL);
		print_result(out, p, one->receipt);
		answer_json(q, 200, out);
		evbuffer_free(out);
	}
	pending_free(&one->pending);
}

void channel_publish_one(struct channel_api *c, struct http_request *q, struct span part)
{
	struct channel_target t;
	struct channel_order o = {0};
	struct json_value body;
	const struct failure *f;
	const char *why;
	struct one *one;

	if (!channel_api_read(c, q, part, &t) || !read_body(q, &body))
		return;
	why = channel_order_read(&body, &o);
	if (why) {
		refuse(q, why);
	} else {
		one = pending_new(&c->pendings, sizeof *one, q, NULL);
		one->receipt = o.publication.receipt;
		f = begin(c, &o, channel_api_name(&t), on_published, one);
		if (f)
			on_published(one, &(struct published){.failure = f});
	}
	channel_order_close(&o);
}

/* ---- many ---- */

/* What became of one of them. */
struct outcome {
	struct many *many;
	struct evbuffer *text; /* NULL: not known yet */
	bool receipt;
};

struct many {
	struct pending pending;
	struct outcome *results;
	size_t n, left;
};

/* A body with all its orders. */
struct orders {
	struct json_value messages, channels;
	struct channel_order *all;
	size_t n;
	struct span *to; /* of each its channel */
	uint8_t *text;   /* of to */
};

static void close_many(struct pending *p)
{
	struct many *m = (struct many *)p;

	for (size_t i = 0; i < m->n; i++)
		if (m->results[i].text)
			evbuffer_free(m->results[i].text);
	free(m->results);
}

static void answer(struct many *m)
{
	struct http_request *q = pending_take(&m->pending);
	struct evbuffer *out = evbuffer_new();

	assert(out != NULL);
	evbuffer_add_printf(out, "{\"results\":[");
	for (size_t i = 0; i < m->n; i++) {
		if (i > 0)
			evbuffer_add_printf(out, ",\n");
		evbuffer_add_buffer(out, m->results[i].text);
	}
	evbuffer_add_printf(out, "]}");
	if (q)
		answer_json(q, 200, out);
	evbuffer_free(out);
	pending_free(&m->pending);
}

static void on_result(void *arg, const struct published *p)
{
	struct outcome *r = arg;
	struct many *m = r->many;

	r->text = evbuffer_new();
	assert(r->text != NULL);
	if (p->failure)
		print_failure(r->text, p->failure);
	else
		print_result(r->text, p, r->receipt);
	if (--m->left == 0)
		answer(m);
}

static void find_members(const struct json_value *body, struct orders *o)
{
	struct json_walk w = json_walk(body);
	struct json_value v;
	struct span name;

	while (json_walk_next(&w, &name, &v))
		if (json_string_is(name, span_str("messages")))
			o->messages = v;
		else if (json_string_is(name, span_str("channels")))
			o->channels = v;
}

static size_t count(const struct json_value *list)
{
	struct json_walk w = json_walk(list);
	struct json_value v;
	struct span name;
	size_t n = 0;

	while (json_walk_next(&w, &name, &v))
		n++;
	return n;
}

/* Each element is an order with its channel. */
static const char *read_messages(struct orders *o)
{
	struct json_walk w = json_walk(&o->messages);
	struct json_value v;
	struct span name;
	const char *why = NULL;

	while (why == NULL && json_walk_next(&w, &name, &v)) {
		why = channel_order_read(&v, &o->all[o->n]);
		o->to[o->n] = o->all[o->n].channel;
		if (why == NULL && o->to[o->n].n == 0)
			why = "the channel of a message is missing";
		o->n++;
	}
	return why;
}

/* Each element is a channel of the one order. */
static const char *read_channels(const struct json_value *body, struct orders *o)
{
	struct json_walk w = json_walk(&o->channels);
	uint8_t *at = o->text = xmalloc(o->channels.raw.n);
	struct json_value v;
	struct span name;
	const char *why = channel_order_read(body, &o->all[0]);

	while (why == NULL && json_walk_next(&w, &name, &v)) {
		if (v.kind != JSON_IS_STRING ||
		    json_unescape(v.raw, at, v.raw.n, &o->to[o->n++]) != OK)
			why = "channels is not an array of strings";
		at += v.raw.n;
	}
	return why;
}

/* NULL, or what is wrong: a sentence. */
static const char *read_orders(const struct json_value *body, size_t most,
			       struct orders *o)
{
	const struct json_value *list;
	size_t n;

	find_members(body, o);
	if ((o->messages.kind == JSON_IS_ARRAY) == (o->channels.kind == JSON_IS_ARRAY))
		return "give one of messages (an array of objects) and channels (an "
		       "array of strings)";
	list = o->messages.kind == JSON_IS_ARRAY ? &o->messages : &o->channels;
	n = count(list);
	if (n > most)
		return "too many messages for one request: see --max-bulk";
	o->all = xcalloc(n + 1, sizeof *o->all);
	o->to = xcalloc(n + 1, sizeof *o->to);
	return list == &o->messages ? read_messages(o) : read_channels(body, o);
}

static void orders_close(struct orders *o, bool is_one)
{
	for (size_t i = 0; o->all && i < (is_one ? 1 : o->n); i++)
		channel_order_close(&o->all[i]);
	free(o->all);
	free(o->to);
	free(o->text);
}

static void publish_all(struct channel_api *c, struct http_request *q,
			const struct orders *o, bool is_one)
{
	struct many *m = pending_new(&c->pendings, sizeof *m, q, close_many);
	const struct failure *f;

	m->n = o->n;
	m->left = o->n + 1; /* all have been begun */
	m->results = xcalloc(o->n + 1, sizeof *m->results);
	for (size_t i = 0; i < o->n; i++) {
		const struct channel_order *order = &o->all[is_one ? 0 : i];

		m->results[i] = (struct outcome){m, NULL, order->publication.receipt};
		f = begin(c, order, o->to[i], on_result, &m->results[i]);
		if (f)
			on_result(&m->results[i], &(struct published){.failure = f});
	}
	if (--m->left == 0)
		answer(m);
}

void channel_publish_many(struct channel_api *c, struct http_request *q)
{
	struct orders o = {0};
	struct json_value body;
	const char *why;
	bool is_one;

	if (!read_body(q, &body))
		return;
	why = read_orders(&body, c->most, &o);
	is_one = o.channels.kind == JSON_IS_ARRAY;
	if (why)
		refuse(q, why);
	else
		publish_all(c, q, &o, is_one);
	orders_close(&o, is_one);
}
