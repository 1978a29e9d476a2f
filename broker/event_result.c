/*
 * What a function returned to a proxy event.
 *
 * source  AWS: "Output format of a Lambda function for proxy integration", "payload format
 *         version 2.0"; aws-websocket-api 1.3, 2.1
 */
#include "broker/event.h"

#include "base/base64.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "broker/json_string.h"
#include "broker/json_walk.h"
#include "broker/route.h"

#include <stdlib.h>
#include <strings.h>

struct event_result {
	struct call_header *headers;
	size_t n, room;
	uint8_t *at; /* where the next text goes */
	uint8_t texts
		[]; /* as many bytes as the payload, and one: no text is longer than what it was written as */
};

/* The members that count; JSON_IS_MISSING for those that are not there. Of two of one name the last one counts. */
struct members {
	struct json_value status, headers, multi, cookies, body, base64;
};

static const char *read_message(struct event_result *r, const struct json_value *v,
				struct result *out);
static const char *read_response(struct event_result *r, const struct json_value *v,
				 bool is_v2, struct result *out);

static bool says_nothing(const struct call *c)
{
	return c->kind == GATEPOST__EVENT__KIND__DISCONNECT ||
	       (c->kind == GATEPOST__EVENT__KIND__MESSAGE && c->route != NULL &&
		!c->route->config->two_way);
}

/* Returns why it is no result; NULL when it is one. */
static const char *read_result(struct event_result *r, const struct call *c,
			       struct span payload, struct result *out)
{
	static const struct json_path whole = {NULL, 0};
	struct json_value v;

	if (says_nothing(c))
		return NULL;
	if (json_find(payload, &whole, &v) != OK)
		return "malformed result: what it returned is not JSON";
	if (c->kind == GATEPOST__EVENT__KIND__MESSAGE)
		return read_message(r, &v, out);
	return read_response(r, &v, c->http != NULL && c->http->config->is_v2, out);
}

struct event_result *event_result_parse(const struct call *c, struct span payload,
					struct result *out)
{
	struct event_result *r = xmalloc(sizeof *r + payload.n + 1);

	*r = (struct event_result){.at = r->texts};
	*out = (struct result){.kind = RESULT_OK, .payload = payload, .status = 200};
	out->why = read_result(r, c, payload, out);
	if (out->why != NULL)
		*out = (struct result){
			.kind = RESULT_FAILED, .why = out->why, .payload = payload};
	out->headers = r->headers;
	out->n_headers = out->kind == RESULT_OK ? r->n : 0;
	return r;
}

void event_result_free(struct event_result *r)
{
	if (r == NULL)
		return;
	free(r->headers);
	free(r);
}

static struct members find_members(const struct json_value *object)
{
	struct members m = {0};
	const struct {
		const char *name;
		struct json_value *to;
	} wanted[] = {
		{"statusCode", &m.status},
		{"headers", &m.headers},
		{"multiValueHeaders", &m.multi},
		{"cookies", &m.cookies},
		{"body", &m.body},
		{"isBase64Encoded", &m.base64},
	};
	struct json_walk w = json_walk(object);
	struct json_value v;
	struct span name;

	while (json_walk_next(&w, &name, &v))
		for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
			if (json_string_is(name, span_str(wanted[i].name)))
				*wanted[i].to = v;
	return m;
}

static bool is_absent(const struct json_value *v)
{
	return v->kind == JSON_IS_MISSING || v->kind == JSON_IS_NULL;
}

/* The characters of a string, with a zero behind them; half a surrogate pair is malformed. */
static bool take_string(struct event_result *r, struct span raw, struct span *out)
{
	if (json_unescape(raw, r->at, raw.n, out) != OK)
		return false;
	if (out->p != r->at)
		memcpy(r->at, out->p, out->n);
	*out = span_of(r->at, out->n);
	r->at[out->n] = '\0';
	r->at += out->n + 1;
	return true;
}

static const char *read_body(struct event_result *r, const struct members *m,
			     struct result *out)
{
	size_t n;

	if (is_absent(&m->body))
		return NULL;
	if (m->body.kind != JSON_IS_STRING)
		return "malformed result: its body is not a string";
	if (json_unescape(m->body.raw, r->at, m->body.raw.n, &out->body) != OK)
		return "malformed result: its body has half of a surrogate pair";
	out->has_body = true;
	if (m->base64.kind != JSON_IS_TRUE)
		return NULL;
	if (base64_decode(out->body, r->at, &n) != OK)
		return "malformed result: isBase64Encoded, but its body is not base64";
	out->body = span_of(r->at, n);
	out->binary = !utf8_check(out->body);
	return NULL;
}

/* Section 1.3: exactly its body, and without one nothing. */
static const char *read_message(struct event_result *r, const struct json_value *v,
				struct result *out)
{
	struct members m;

	if (v->kind != JSON_IS_OBJECT)
		return NULL;
	m = find_members(v);
	return read_body(r, &m, out);
}

/* A number from 200 to 599, perhaps as a string; 0 when it is none. */
static int status_of(const struct json_value *v)
{
	struct span s = v->raw;

	if (v->kind == JSON_IS_STRING)
		s = span_of(s.p + 1, s.n - 2);
	else if (v->kind != JSON_IS_NUMBER)
		return 0;
	if (s.n != 3 || s.p[0] < '2' || s.p[0] > '5')
		return 0;
	for (size_t i = 1; i < 3; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return 0;
	return (s.p[0] - '0') * 100 + (s.p[1] - '0') * 10 + (s.p[2] - '0');
}

static void add_header(struct event_result *r, const char *name, const char *value)
{
	if (r->n == r->room) {
		r->room = r->room ? r->room * 2 : 16;
		r->headers = xrealloc(r->headers, r->room * sizeof *r->headers);
	}
	r->headers[r->n++] = (struct call_header){name, value};
}

/* Text of a header's name or value: not one that C would see the end of before it ends. */
static const char *take_text(struct event_result *r, struct span raw)
{
	struct span s;

	if (!take_string(r, raw, &s) || memchr(s.p, '\0', s.n) != NULL)
		return NULL;
	return (const char *)s.p;
}

/* Add a header with a value that is a string, a number, true or false. False when it is another. */
static bool take_header(struct event_result *r, const char *name,
			const struct json_value *v)
{
	const char *value = NULL;

	switch (v->kind) {
	case JSON_IS_STRING: value = take_text(r, v->raw); break;
	case JSON_IS_NUMBER:
	case JSON_IS_TRUE:
	case JSON_IS_FALSE:
		value = memcpy(r->at, v->raw.p, v->raw.n);
		r->at[v->raw.n] = '\0';
		r->at += v->raw.n + 1;
		break;
	case JSON_IS_NULL: return true; /* said to be not there */
	case JSON_IS_OBJECT:
	case JSON_IS_ARRAY:
	case JSON_IS_MISSING: break;
	}
	if (value != NULL)
		add_header(r, name, value);
	return value != NULL;
}

static bool take_each(struct event_result *r, const char *name,
		      const struct json_value *list)
{
	struct json_walk w = json_walk(list);
	struct json_value v;
	struct span none;

	while (json_walk_next(&w, &none, &v))
		if (!take_header(r, name, &v))
			return false;
	return true;
}

/* {"name":"value"}, or, many, {"name":["value"]}. */
static bool take_headers(struct event_result *r, const struct json_value *object,
			 bool many)
{
	struct json_walk w;
	struct json_value v;
	struct span raw;

	if (is_absent(object))
		return true;
	if (object->kind != JSON_IS_OBJECT)
		return false;
	w = json_walk(object);
	while (json_walk_next(&w, &raw, &v)) {
		const char *name = take_text(r, raw);

		if (name == NULL)
			return false;
		if (many && v.kind == JSON_IS_ARRAY ? !take_each(r, name, &v)
						    : !take_header(r, name, &v))
			return false;
	}
	return true;
}

/*
 * AWS: "If the same key-value pair is specified in both, only the values from
 * multiValueHeaders will appear". Those are the first n_many.
 */
static void drop_repeated(struct event_result *r, size_t n_many)
{
	size_t kept = n_many;

	for (size_t i = n_many; i < r->n; i++) {
		bool seen = false;

		for (size_t j = 0; j < n_many && !seen; j++)
			seen = strcasecmp(r->headers[i].name, r->headers[j].name) == 0 &&
			       strcmp(r->headers[i].value, r->headers[j].value) == 0;
		if (!seen)
			r->headers[kept++] = r->headers[i];
	}
	r->n = kept;
}

/* An edge would not read an answer of far more (ENVELOPE_ITEM_PARTS). */
enum { HEADERS_MOST = 200 };

static const char *read_headers(struct event_result *r, const struct members *m)
{
	size_t n_many;

	if (!take_headers(r, &m->multi, true))
		return "malformed result: its multiValueHeaders are no object of lists";
	n_many = r->n;
	if (!take_headers(r, &m->headers, false))
		return "malformed result: its headers are no object of strings";
	if (r->n > HEADERS_MOST)
		return "malformed result: it has more than 200 headers";
	drop_repeated(r, n_many);
	return NULL;
}

static void add_type(struct event_result *r, const char *type)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcasecmp(r->headers[i].name, "Content-Type") == 0)
			return;
	add_header(r, "Content-Type", type);
}

/* Payload 2.0 guesses: what has no statusCode is the body, a string without its quotes. */
static const char *read_guess(struct event_result *r, const struct json_value *v,
			      struct result *out)
{
	out->has_body = true;
	out->body = v->raw;
	if (v->kind == JSON_IS_STRING && !take_string(r, v->raw, &out->body))
		return "malformed result: the string has half of a surrogate pair";
	add_type(r, "application/json");
	return NULL;
}

static const char *read_response(struct event_result *r, const struct json_value *v,
				 bool is_v2, struct result *out)
{
	struct members m = {0};
	const char *why;

	if (v->kind == JSON_IS_OBJECT)
		m = find_members(v);
	if (m.status.kind == JSON_IS_MISSING && is_v2)
		return read_guess(r, v, out);
	if (m.status.kind == JSON_IS_MISSING)
		return "malformed result: it returned no object with a statusCode";
	out->status = status_of(&m.status);
	if (out->status == 0)
		return "malformed result: its statusCode is no number from 200 to 599";
	why = read_headers(r, &m);
	if (why == NULL && is_v2 && m.cookies.kind == JSON_IS_ARRAY &&
	    !take_each(r, "Set-Cookie", &m.cookies))
		why = "malformed result: its cookies are no list of strings";
	if (why == NULL && r->n > HEADERS_MOST)
		why = "malformed result: it has more than 200 headers and cookies";
	if (why == NULL)
		why = read_body(r, &m, out);
	if (why == NULL && out->has_body)
		add_type(r, is_v2 ? "text/plain; charset=utf-8" : "application/json");
	return why;
}
