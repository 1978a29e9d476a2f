/*
 * One message to many connections, down the page:
 *
 *   bulk_post         read the order: {"connectionIds":["…"],"data":"…"}
 *   send_all          a command for each edge, with all of its ids
 *   on_chunk          an edge has answered for its ids
 *   answer            all have: {"results":{"sent":1,"gone":["…"],"full":["…"],"failed":["…"]}}
 */
#include "broker/api/bulk.h"

#include "base/base64.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "broker/api/answer.h"
#include "broker/api/connection.h"
#include "json/string.h"
#include "json/walk.h"

#include <assert.h>
#include <stdlib.h>

enum { CHUNK = 1000 }; /* ids in one command, so that no turn of an edge is long */

/* What is asked for; spans point into the request, or into text. */
struct order {
	struct span ids;          /* raw: an array */
	struct span data, data64; /* raw: strings; no bytes: not there */
	bool binary;
	uint8_t *text; /* what was unescaped or decoded */
};

struct chunk {
	struct bulk *bulk;
	size_t first, n;
	struct command *command; /* NULL: it has its outcome */
};

struct bulk {
	struct commands *to;
	struct http_request *request;
	struct id *ids; /* sorted, and so by edge */
	size_t n;
	uint8_t *results; /* of each: a Result; NONE: not known */
	struct chunk *chunks;
	size_t n_chunks, left;
};

static bool read_order(struct http_request *q, struct span body, struct order *o);
static bool read_ids(struct http_request *q, const struct order *o, size_t most,
		     struct bulk *k);
static bool read_data(struct http_request *q, struct order *o, struct push *out);
static void send_all(struct bulk *k, const struct push *push);
static void on_chunk(void *arg, enum err e, const Gatepost__Outcome *o);
static void answer(struct bulk *k);
static void bulk_free(struct bulk *k);

static void on_gone(void *arg)
{
	struct bulk *k = arg;

	for (size_t i = 0; i < k->n_chunks; i++)
		if (k->chunks[i].command != NULL)
			command_cancel(k->chunks[i].command);
	bulk_free(k);
}

void bulk_post(struct commands *to, const struct bulk_limits *most,
	       struct http_request *q)
{
	struct bulk *k = xcalloc(1, sizeof *k);
	struct order o = {.binary = connection_wants_binary(q)};
	struct push push;
	bool ok = read_order(q, q->body, &o) && read_ids(q, &o, most->max_bulk, k) &&
		  read_data(q, &o, &push) && answer_fits(q, push.body.n, most->max_post);

	if (ok) {
		k->to = to;
		k->request = q;
		http_keep(q, on_gone, k);
		send_all(k, &push);
	} else {
		bulk_free(k);
	}
	free(o.text);
}

static void bulk_free(struct bulk *k)
{
	free(k->ids);
	free(k->results);
	free(k->chunks);
	free(k);
}

/* ---- the order ---- */

static bool is(struct span name, const char *wanted)
{
	return json_string_is(name, span_str(wanted));
}

/* One member of it; NULL when it is right, else what is wrong. */
static const char *take_member(struct order *o, struct span name,
			       const struct json_value *v)
{
	bool text = v->kind == JSON_IS_STRING;

	if (is(name, "connectionIds") && v->kind == JSON_IS_ARRAY)
		o->ids = v->raw;
	else if (is(name, "data") && text)
		o->data = v->raw;
	else if (is(name, "data64") && text)
		o->data64 = v->raw;
	else if (is(name, "binary") && v->kind == JSON_IS_TRUE)
		o->binary = true;
	else if (!is(name, "binary") || v->kind != JSON_IS_FALSE)
		return "the members are connectionIds (an array of strings), data or "
		       "data64 (a string), and binary (true or false)";
	return NULL;
}

/* Answers by itself, and returns false, when it is none. */
static bool read_order(struct http_request *q, struct span body, struct order *o)
{
	static const struct json_path whole = {NULL, 0};
	struct json_value root, v;
	struct json_walk w;
	struct span name;
	const char *wrong = NULL;

	if (body.n == 0 || json_find(body, &whole, &root) != OK ||
	    root.kind != JSON_IS_OBJECT) {
		answer_bad(q, "the body is not a JSON object");
		return false;
	}
	w = json_walk(&root);
	while (wrong == NULL && json_walk_next(&w, &name, &v))
		wrong = take_member(o, name, &v);
	if (wrong == NULL && o->ids.n == 0)
		wrong = "connectionIds is missing";
	if (wrong == NULL && (o->data.n == 0) == (o->data64.n == 0))
		wrong = "give one of data and data64";
	if (wrong != NULL)
		answer_bad(q, "%s", wrong);
	return wrong == NULL;
}

static bool read_id(const struct json_value *v, struct id *out)
{
	uint8_t room[64];
	struct span text;

	return v->kind == JSON_IS_STRING && v->raw.n <= sizeof room &&
	       json_unescape(v->raw, room, sizeof room, &text) == OK &&
	       id_parse(text, out) == OK;
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, ID_BYTES);
}

static bool read_ids(struct http_request *q, const struct order *o, size_t most,
		     struct bulk *k)
{
	size_t room = 0;
	struct json_walk w =
		json_walk(&(struct json_value){.kind = JSON_IS_ARRAY, .raw = o->ids});
	struct json_value v;
	struct span name;

	while (json_walk_next(&w, &name, &v)) {
		if (k->n == room) {
			room = room ? 2 * room : 64;
			k->ids = xrealloc(k->ids, room * sizeof *k->ids);
		}
		if (!read_id(&v, &k->ids[k->n])) {
			answer_bad(q, "Invalid connectionId: %.*s",
				   (int)(v.raw.n < 64 ? v.raw.n : 64),
				   (const char *)v.raw.p);
			return false;
		}
		if (k->n++ == most) {
			char *why = xasprintf("At most %zu connections at a time", most);

			answer_refusal_logged(q, 413, answer_type(413), why);
			free(why);
			return false;
		}
	}
	if (k->n > 0)
		qsort(k->ids, k->n, sizeof *k->ids, by_bytes);
	return true;
}

static bool read_data(struct http_request *q, struct order *o, struct push *out)
{
	bool text = o->data.n > 0;
	struct span raw = text ? o->data : o->data64;
	size_t n = 0;

	o->text = xmalloc(raw.n);
	if (json_unescape(raw, o->text, raw.n, &out->body) != OK) {
		answer_bad(q, "%s has half of a surrogate pair",
			   text ? "data" : "data64");
		return false;
	}
	if (!text) {
		if (base64_decode(out->body, o->text, &n) != OK) {
			answer_bad(q, "data64 is not base64");
			return false;
		}
		out->body = span_of(o->text, n);
	}
	out->binary = o->binary || !utf8_check(out->body);
	return true;
}

/* ---- to the edges ---- */

/* The ids from `first` on that one command can take. */
static size_t run_of(const struct bulk *k, size_t first)
{
	size_t n = 1;

	while (n < CHUNK && first + n < k->n &&
	       id_edge(&k->ids[first + n]) == id_edge(&k->ids[first]))
		n++;
	return n;
}

static struct chunk *add_chunk(struct bulk *k, size_t first, size_t n)
{
	struct chunk *c = &k->chunks[k->n_chunks++];

	*c = (struct chunk){.bulk = k, .first = first, .n = n};
	return c;
}

/* What one command can take; an edge that is not linked here is asked for in the store, one by one. */
static size_t send_some(struct bulk *k, size_t first, const struct push *push)
{
	const struct id *id = &k->ids[first];
	size_t n = run_of(k, first);
	struct chunk *c = add_chunk(k, first, n);

	c->command = command_send_many(k->to, id_edge(id), span_of(id->b, n * ID_BYTES),
				       push, on_chunk, c);
	if (c->command != NULL)
		return n;
	c->n = 1;
	c->command = command_send(k->to, id, push, on_chunk, c);
	return 1;
}

static void send_all(struct bulk *k, const struct push *push)
{
	k->results = xcalloc(k->n + 1, 1);
	k->chunks = xcalloc(k->n + 1, sizeof *k->chunks);
	for (size_t first = 0; first < k->n;)
		first += send_some(k, first, push);
	k->left = k->n_chunks;
	if (k->left == 0)
		answer(k);
}

static uint8_t result_of(enum err e)
{
	return e == OK             ? GATEPOST__OUTCOME__RESULT__OK
	       : e == ERR_NOTFOUND ? GATEPOST__OUTCOME__RESULT__GONE
	       : e == ERR_BUSY     ? GATEPOST__OUTCOME__RESULT__FULL
				   : GATEPOST__OUTCOME__RESULT__NONE;
}

static void on_chunk(void *arg, enum err e, const Gatepost__Outcome *o)
{
	struct chunk *c = arg;
	struct bulk *k = c->bulk;
	uint8_t *results = k->results + c->first;

	c->command = NULL;
	if (o != NULL && o->results.len == c->n)
		memcpy(results, o->results.data, c->n);
	else
		memset(results, result_of(e), c->n);
	if (--k->left == 0)
		answer(k);
}

/* ---- and back ---- */

static size_t print_ids(const struct bulk *k, uint8_t result, const char *name,
			struct evbuffer *out)
{
	char text[ID_TEXT];
	size_t n = 0;

	evbuffer_add_printf(out, ",\"%s\":[", name);
	for (size_t i = 0; i < k->n; i++)
		if (k->results[i] == result)
			evbuffer_add_printf(out, "%s\"%s\"", n++ > 0 ? "," : "",
					    id_text(&k->ids[i], text));
	evbuffer_add_printf(out, "]");
	return n;
}

static size_t count_sent(const struct bulk *k)
{
	size_t n = 0;

	for (size_t i = 0; i < k->n; i++)
		n += k->results[i] == GATEPOST__OUTCOME__RESULT__OK;
	return n;
}

static void answer(struct bulk *k)
{
	struct evbuffer *out = evbuffer_new();
	size_t gone, full, failed;

	assert(out != NULL);
	evbuffer_add_printf(out, "{\"results\":{\"sent\":%zu", count_sent(k));
	gone = print_ids(k, GATEPOST__OUTCOME__RESULT__GONE, "gone", out);
	full = print_ids(k, GATEPOST__OUTCOME__RESULT__FULL, "full", out);
	failed = print_ids(k, GATEPOST__OUTCOME__RESULT__NONE, "failed", out);
	commands_count(k->to, gone, full);
	if (gone + full + failed > 0)
		log_info_flood("push.refused", I("gone", gone), I("full", full),
			       I("failed", failed));
	evbuffer_add_printf(out, "}}");
	answer_json(k->request, 200, out);
	evbuffer_free(out);
	bulk_free(k);
}
