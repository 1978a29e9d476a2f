/*
 * What a function returned to a proxy event.
 *
 * source  AWS: "Output format of a Lambda function for proxy integration", "payload format
 *         version 2.0"; aws-websocket-api 1.3, 2.1
 */
#include "broker/payload/event.h"

#include "base/base64.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "json/string.h"
#include "json/walk.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct event_result {
	const struct invocation *in;
	struct result_header *headers;
	size_t n, room;
	struct span text; /* what is read: the payload, or repaired */
	struct blob *
		repaired; /* the payload with U+FFFD for what is not UTF-8; NULL: it was */
	const uint8_t
		*half; /* the first string with half of a surrogate pair; NULL: none */
	char why[200];
	uint8_t *at; /* where the next text goes */
	uint8_t texts
		[]; /* as many bytes as the text, and one: no text is longer than what it was written as */
};

/* The members that count; JSON_IS_MISSING for those that are not there. Of two of one name the last one counts. */
struct members {
	struct json_value status, headers, multi, cookies, body, base64;
	struct json_value user, channels, subscribe, publish, data; /* of channels */
};

static const char *read_message(struct event_result *r, const struct json_value *v,
				struct result *out);
static const char *read_of_channel(struct event_result *r, const struct json_value *v,
				   struct result *out);
static const char *read_response(struct event_result *r, const struct json_value *v,
				 bool is_v2, struct result *out);

static bool is_one_way(const struct invocation *in)
{
	return in->kind == GATEPOST__EVENT__KIND__MESSAGE && in->channel == NULL &&
	       !in->route->two_way;
}

/* Is the payload of no interest? That of a one-way message may have actions on channels. */
static bool says_nothing(const struct invocation *in, struct span payload)
{
	if (in->channel != NULL)
		return in->channel->is_of_cluster;
	if (!is_one_way(in))
		return in->kind == GATEPOST__EVENT__KIND__DISCONNECT;
	return payload.n == 0 ||
	       (memmem(payload.p, payload.n, "\"subscribe\"", 11) == NULL &&
		memmem(payload.p, payload.n, "\"publish\"", 9) == NULL);
}

/* Log that a part of the result is dropped, and the rest is used. */
static void drop(const struct event_result *r, const char *part, const char *name,
		 const char *why)
{
	log_warn_flood("result.part.dropped", S("route", r->in->route->key),
		       S("function", r->in->route->function), S("part", part),
		       S("name", name), S("why", why));
}

static void log_ignored(const struct event_result *r)
{
	log_info_flood("result.ignored", S("route", r->in->route->key),
		       S("function", r->in->route->function),
		       S("why", "result is not an object: nothing is sent"),
		       S("hint", "return {\"statusCode\": 200, \"body\": \"...\"}"));
}

static void log_repaired(const struct event_result *r, const char *why, size_t at)
{
	log_info_flood("result.repaired", S("route", r->in->route->key),
		       S("function", r->in->route->function), S("why", why), I("at", at));
}

static struct event_result *result_new(const struct invocation *in, struct span text)
{
	struct event_result *r = xmalloc(sizeof *r + text.n + 1);

	*r = (struct event_result){.in = in, .text = text, .at = r->texts};
	return r;
}

/* Its bytes that are not UTF-8, wherever they are, become U+FFFD first: all later texts are UTF-8 then. */
static struct event_result *result_repaired(const struct invocation *in,
					    struct span payload, struct json_value *v)
{
	static const struct json_path whole = {NULL, 0};
	struct blob *b = blob_alloc(utf8_repair(payload, NULL));
	struct event_result *r;
	enum err e;

	utf8_repair(payload, b->p);
	e = json_read(blob_span(b), &whole, JSON_OF_FUNCTION, v, NULL);
	assert(e == OK);
	r = result_new(in, blob_span(b));
	r->repaired = b;
	log_repaired(r, "invalid UTF-8 replaced with U+FFFD", utf8_good(payload));
	return r;
}

static const char *no_json(struct event_result *r, enum err e,
			   const struct json_report *report)
{
	if (e == ERR_TOOBIG)
		snprintf(r->why, sizeof r->why,
			 "malformed result: at byte %zu it is nested deeper than "
			 "--json-depth, %zu",
			 report->at, json_depth());
	else
		snprintf(r->why, sizeof r->why,
			 "malformed result: what it returned is not JSON: at byte %zu %s "
			 "was expected",
			 report->at, report->expected);
	return r->why;
}

/* Returns why it is not a result; NULL when it is one. */
static const char *read_result(struct event_result *r, const struct json_value *v,
			       struct result *out)
{
	const struct invocation *in = r->in;

	if (in->channel != NULL)
		return read_of_channel(r, v, out);
	if (in->kind == GATEPOST__EVENT__KIND__MESSAGE)
		return read_message(r, v, out);
	return read_response(
		r, v, in->kind == GATEPOST__EVENT__KIND__HTTP && in->route->is_v2, out);
}

struct event_result *event_result_parse(const struct invocation *in, struct span payload,
					struct result *out)
{
	static const struct json_path whole = {NULL, 0};
	struct json_report report = {0};
	struct json_value v = {0};
	struct event_result *r;
	enum err e = OK;

	*out = (struct result){.kind = RESULT_OK, .payload = payload, .status = 200};
	if (says_nothing(in, payload))
		return result_new(in, payload);
	e = json_read(payload, &whole, JSON_OF_FUNCTION, &v, &report);
	r = e == OK && report.not_utf8 ? result_repaired(in, payload, &v)
				       : result_new(in, payload);
	out->why = e == OK ? read_result(r, &v, out) : no_json(r, e, &report);
	if (out->why != NULL && is_one_way(in)) /* anything is accepted */
		*out = (struct result){.payload = payload, .status = 200};
	else if (out->why != NULL)
		*out = (struct result){
			.kind = RESULT_FAILED, .why = out->why, .payload = payload};
	if (r->half != NULL)
		log_repaired(r, "unpaired surrogates replaced with U+FFFD",
			     (size_t)(r->half - r->text.p));
	out->headers = r->headers;
	out->n_headers = out->kind == RESULT_OK ? r->n : 0;
	return r;
}

void event_result_free(struct event_result *r)
{
	if (r == NULL)
		return;
	blob_unref(r->repaired);
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
		{"user", &m.user},
		{"channels", &m.channels},
		{"subscribe", &m.subscribe},
		{"publish", &m.publish},
		{"data", &m.data},
	};
	struct json_walk w = json_walk(object);
	struct json_value v;
	struct span name;

	while (json_walk_next(&w, &name, &v))
		for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
			if (json_string_is(name, span_str(wanted[i].name))) {
				*wanted[i].to = v;
				break;
			}
	return m;
}

static bool is_absent(const struct json_value *v)
{
	return v->kind == JSON_IS_MISSING || v->kind == JSON_IS_NULL;
}

/* Write the error and its place into r->why. */
static const char *wrong(struct event_result *r, const char *what,
			 const struct json_value *at)
{
	snprintf(r->why, sizeof r->why, "malformed result: %s, at byte %zu", what,
		 (size_t)(at->raw.p - r->text.p));
	return r->why;
}

/* The characters of a string; U+FFFD stands in for half of a surrogate pair. */
static struct span text_of(struct event_result *r, struct span raw)
{
	struct span s;

	if (!json_unescape_lenient(raw, r->at, &s) && r->half == NULL)
		r->half = raw.p;
	return s;
}

/* The same, kept, with a zero behind them. */
static struct span take_string(struct event_result *r, struct span raw)
{
	struct span s = text_of(r, raw);

	if (s.p != r->at)
		memcpy(r->at, s.p, s.n);
	s = span_of(r->at, s.n);
	r->at[s.n] = '\0';
	r->at += s.n + 1;
	return s;
}

static const char *read_body(struct event_result *r, const struct members *m,
			     struct result *out)
{
	size_t n;

	if (is_absent(&m->body))
		return NULL;
	if (m->body.kind != JSON_IS_STRING)
		return wrong(r, "its body is not a string", &m->body);
	out->body = text_of(r, m->body.raw);
	out->has_body = true;
	if (m->base64.kind != JSON_IS_TRUE)
		return NULL;
	if (base64_decode(out->body, r->at, &n) != OK)
		return wrong(r, "isBase64Encoded, but its body is not base64", &m->body);
	out->body = span_of(r->at, n);
	out->binary = !utf8_check(out->body);
	return NULL;
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

/* What the function wants done with channels. */
static void take_actions(struct event_result *r, const struct members *m,
			 struct result *out)
{
	if (m->subscribe.kind == JSON_IS_ARRAY)
		out->subscribe = m->subscribe.raw;
	else if (!is_absent(&m->subscribe))
		drop(r, "subscribe", "", "it is not a list");
	if (m->publish.kind == JSON_IS_ARRAY)
		out->publish = m->publish.raw;
	else if (!is_absent(&m->publish))
		drop(r, "publish", "", "it is not a list");
}

static const char *read_connect(struct event_result *r, const struct members *m,
				struct result *out)
{
	if (m->user.kind == JSON_IS_STRING)
		out->user = take_string(r, m->user.raw);
	else if (!is_absent(&m->user))
		return wrong(r, "its user is not a string", &m->user);
	if (m->channels.kind == JSON_IS_ARRAY)
		out->channels = m->channels.raw;
	else if (!is_absent(&m->channels))
		return wrong(r, "its channels is not a list", &m->channels);
	return NULL;
}

/* Of a function that is asked about a channel, or told of it. */
static const char *read_of_channel(struct event_result *r, const struct json_value *v,
				   struct result *out)
{
	struct members m;

	if (v->kind != JSON_IS_OBJECT)
		return NULL;
	m = find_members(v);
	if (!is_absent(&m.status))
		out->status = status_of(&m.status);
	if (out->status == 0)
		return wrong(r, "its statusCode is no number from 200 to 599", &m.status);
	if (m.data.kind != JSON_IS_MISSING)
		out->data = m.data.raw;
	return read_body(r, &m, out);
}

/* Section 1.3: exactly its body; without one, nothing is sent. */
static const char *read_message(struct event_result *r, const struct json_value *v,
				struct result *out)
{
	struct members m;

	if (v->kind != JSON_IS_OBJECT) {
		if (v->kind != JSON_IS_NULL)
			log_ignored(r);
		return NULL;
	}
	m = find_members(v);
	take_actions(r, &m, out);
	return is_one_way(r->in) ? NULL : read_body(r, &m, out);
}

static void add_header(struct event_result *r, const char *name, const char *value)
{
	if (r->n == r->room) {
		r->room = r->room ? r->room * 2 : 16;
		r->headers = xrealloc(r->headers, r->room * sizeof *r->headers);
	}
	r->headers[r->n++] = (struct result_header){name, value};
}

/* RFC 9110 5.5: no control characters but a tab. With them a function could inject headers and responses. */
static bool is_value(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == 0x7f)
			return false;
	return true;
}

/* RFC 9110 5.6.2: a token. */
static bool is_name(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f ||
		    strchr("\"(),/:;<=>?@[\\]{}", s.p[i]) != NULL)
			return false;
	return s.n > 0;
}

/* An edge would not read an answer of far more (ENVELOPE_ITEM_PARTS). */
enum { HEADERS_MOST = 200 };

/*
 * Add a header with a value that is a string, a number, true or false; another one is dropped.
 * One more than HEADERS_MOST says that there are too many, and the rest is not looked at.
 */
static void take_header(struct event_result *r, const char *part, const char *name,
			const struct json_value *v)
{
	struct span value;

	if (r->n > HEADERS_MOST)
		return;
	switch (v->kind) {
	case JSON_IS_STRING: value = take_string(r, v->raw); break;
	case JSON_IS_NUMBER:
	case JSON_IS_TRUE:
	case JSON_IS_FALSE:
		memcpy(r->at, v->raw.p, v->raw.n);
		value = span_of(r->at, v->raw.n);
		r->at[v->raw.n] = '\0';
		r->at += v->raw.n + 1;
		break;
	case JSON_IS_NULL: return; /* null: not there */
	case JSON_IS_OBJECT:
	case JSON_IS_ARRAY:
	case JSON_IS_MISSING:
		drop(r, part, name, "its value is an object or a list");
		return;
	}
	if (is_value(value))
		add_header(r, name, (const char *)value.p);
	else
		drop(r, part, name, "its value has a control character");
}

static void take_each(struct event_result *r, const char *part, const char *name,
		      const struct json_value *list)
{
	struct json_walk w = json_walk(list);
	struct json_value v;
	struct span none;

	while (r->n <= HEADERS_MOST && json_walk_next(&w, &none, &v))
		take_header(r, part, name, &v);
}

/* {"name":"value"}, or, many, {"name":["value"]}. */
static void take_headers(struct event_result *r, const char *part,
			 const struct json_value *object, bool many)
{
	struct json_walk w;
	struct json_value v;
	struct span raw;

	if (is_absent(object))
		return;
	if (object->kind != JSON_IS_OBJECT) {
		drop(r, part, "", "it is not an object");
		return;
	}
	w = json_walk(object);
	while (json_walk_next(&w, &raw, &v)) {
		struct span name = take_string(r, raw);

		if (!is_name(name))
			drop(r, part, (const char *)name.p, "its name is not a token");
		else if (many && v.kind == JSON_IS_ARRAY)
			take_each(r, part, (const char *)name.p, &v);
		else
			take_header(r, part, (const char *)name.p, &v);
	}
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

static const char *read_headers(struct event_result *r, const struct members *m)
{
	size_t n_many;

	take_headers(r, "multiValueHeaders", &m->multi, true);
	n_many = r->n;
	take_headers(r, "headers", &m->headers, false);
	if (r->n > HEADERS_MOST)
		return "malformed result: it has more than 200 headers";
	drop_repeated(r, n_many);
	return NULL;
}

static void take_cookies(struct event_result *r, const struct json_value *list)
{
	if (list->kind == JSON_IS_ARRAY)
		take_each(r, "cookies", "Set-Cookie", list);
	else if (!is_absent(list))
		drop(r, "cookies", "", "it is not a list");
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
	if (v->kind == JSON_IS_STRING)
		out->body = take_string(r, v->raw);
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
		return wrong(r, "its statusCode is no number from 200 to 599", &m.status);
	why = read_headers(r, &m);
	if (why == NULL && is_v2)
		take_cookies(r, &m.cookies);
	if (why == NULL && r->n > HEADERS_MOST)
		why = "malformed result: it has more than 200 headers and cookies";
	if (why == NULL)
		why = read_body(r, &m, out);
	if (why == NULL && r->in->kind == GATEPOST__EVENT__KIND__CONNECT)
		why = read_connect(r, &m, out);
	if (why == NULL && out->has_body)
		add_type(r, is_v2 ? "text/plain; charset=utf-8" : "application/json");
	return why;
}
