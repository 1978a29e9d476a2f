/*
 * What an authorizer returned: a policy of IAM's, and a context.
 *
 * source  AWS: "Output from an API Gateway Lambda authorizer"; IAM: "Policy evaluation
 *         logic", "JSON policy elements"; aws-websocket-api 2.2
 */
#include "broker/payload/event.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "json/write.h"
#include "json/string.h"
#include "json/walk.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	MOST_BYTES = 8192, /* AWS's quota, which later events pay for */
	/* U+FFFD has three bytes, a malformed one may have one. */
	REPAIRED_BYTES = 3 * MOST_BYTES,
};

static const char action[] = "execute-api:Invoke";

/* The member of an object; JSON_IS_MISSING when it has none. Of two the last one counts. */
static struct json_value member(const struct json_value *object, const char *name)
{
	struct json_walk w = json_walk(object);
	struct json_value v, found = {.kind = JSON_IS_MISSING};
	struct span raw;

	while (json_walk_next(&w, &raw, &v))
		if (json_string_is(raw, span_str(name)))
			found = v;
	return found;
}

static bool same(uint8_t a, uint8_t b, bool nocase)
{
	if (nocase && a >= 'A' && a <= 'Z')
		a = (uint8_t)(a | 0x20);
	if (nocase && b >= 'A' && b <= 'Z')
		b = (uint8_t)(b | 0x20);
	return a == b;
}

/* Does the pattern, in which * stands for anything and ? for one byte, stand for all of text? */
static bool matches(struct span pattern, struct span text, bool nocase)
{
	size_t p = 0, t = 0, star = SIZE_MAX, tried = 0;

	while (t < text.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			tried = t;
		} else if (p < pattern.n && (pattern.p[p] == '?' ||
					     same(pattern.p[p], text.p[t], nocase))) {
			p++;
			t++;
		} else if (star != SIZE_MAX) { /* let the last star stand for one more */
			p = star + 1;
			t = ++tried;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

/*
 * Does a string that is a pattern match? ERR_MALFORMED when it is none. Half of a surrogate
 * pair is not repaired here: the meaning of such a policy is unknown.
 */
static enum err match_one(const struct json_value *pattern, const char *text, bool nocase,
			  bool *found)
{
	uint8_t room[REPAIRED_BYTES];
	struct span s;

	if (pattern->kind != JSON_IS_STRING ||
	    json_unescape(pattern->raw, room, sizeof room, &s) != OK)
		return ERR_MALFORMED;
	*found = *found || matches(s, span_str(text), nocase);
	return OK;
}

/* One pattern, or a list of them. */
static enum err match_any(const struct json_value *patterns, const char *text,
			  bool nocase, bool *found)
{
	struct json_walk w;
	struct json_value v;
	struct span none;
	enum err e = OK;

	*found = false;
	if (patterns->kind != JSON_IS_ARRAY)
		return match_one(patterns, text, nocase, found);
	w = json_walk(patterns);
	while (e == OK && json_walk_next(&w, &none, &v))
		e = match_one(&v, text, nocase, found);
	return e;
}

/* An element such as Action, or NotAction in its place: is text meant? */
static enum err is_meant(const struct json_value *statement, const char *name,
			 const char *not_name, const char *text, bool nocase, bool *found)
{
	struct json_value yes = member(statement, name);
	struct json_value no = member(statement, not_name);
	enum err e;

	if ((yes.kind == JSON_IS_MISSING) == (no.kind == JSON_IS_MISSING))
		return ERR_MALFORMED; /* one of them, and not both */
	if (no.kind == JSON_IS_MISSING)
		return match_any(&yes, text, nocase, found);
	e = match_any(&no, text, nocase, found);
	*found = !*found;
	return e;
}

static bool is_empty(const struct json_value *object)
{
	struct json_walk w;
	struct json_value v;
	struct span name;

	if (object->kind == JSON_IS_MISSING || object->kind == JSON_IS_NULL)
		return true;
	if (object->kind != JSON_IS_OBJECT)
		return false;
	w = json_walk(object);
	return !json_walk_next(&w, &name, &v);
}

struct verdict {
	bool allowed, denied;
};

static enum err weigh(const struct json_value *statement, const char *arn,
		      struct verdict *out)
{
	struct json_value effect, condition;
	bool acts, meant;

	if (statement->kind != JSON_IS_OBJECT)
		return ERR_MALFORMED;
	effect = member(statement, "Effect");
	condition = member(statement, "Condition");
	if (effect.kind != JSON_IS_STRING || !is_empty(&condition) ||
	    is_meant(statement, "Action", "NotAction", action, true, &acts) != OK ||
	    is_meant(statement, "Resource", "NotResource", arn, false, &meant) != OK)
		return ERR_MALFORMED;
	if (json_string_is(effect.raw, span_str("Allow")))
		out->allowed = out->allowed || (acts && meant);
	else if (json_string_is(effect.raw, span_str("Deny")))
		out->denied = out->denied || (acts && meant);
	else
		return ERR_MALFORMED;
	return OK;
}

/* One statement, or a list of them. */
static enum err weigh_all(const struct json_value *statements, const char *arn,
			  struct verdict *out)
{
	struct json_walk w;
	struct json_value v;
	struct span none;
	enum err e = OK;

	if (statements->kind != JSON_IS_ARRAY)
		return weigh(statements, arn, out);
	w = json_walk(statements);
	while (e == OK && json_walk_next(&w, &none, &v))
		e = weigh(&v, arn, out);
	return e;
}

/* Is there another member of this name behind it? Then that one counts. */
static bool comes_again(struct json_walk rest, struct span name)
{
	struct json_value v;
	struct span raw;

	while (json_walk_next(&rest, &raw, &v))
		if (span_eq(raw, name))
			return true;
	return false;
}

static bool is_ours(struct span raw)
{
	return json_string_is(raw, span_str("principalId")) ||
	       json_string_is(raw, span_str("integrationLatency"));
}

static bool has_control(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x20)
			return true;
	return false;
}

/* As it was written, if every JSON parser reads it that way. */
static void put_string(struct json_out *o, struct span raw)
{
	uint8_t room[REPAIRED_BYTES];
	struct span text;

	if (json_unescape_lenient(raw, room, &text) && !has_control(raw))
		json_out_span(o, raw);
	else
		json_out_string(o, text);
}

/* AWS makes strings of numbers and booleans; objects and lists are not allowed. */
static enum err put_value(struct json_out *o, struct span name,
			  const struct json_value *v)
{
	if (v->kind == JSON_IS_OBJECT || v->kind == JSON_IS_ARRAY)
		return ERR_MALFORMED;
	if (v->kind == JSON_IS_NULL)
		return OK;
	put_string(o, name);
	json_out_raw(o, ":");
	if (v->kind == JSON_IS_STRING)
		put_string(o, v->raw);
	else
		json_out_string(o, v->raw);
	json_out_raw(o, ",");
	return OK;
}

static enum err put_context(struct json_out *o, const struct json_value *context)
{
	struct json_walk w;
	struct json_value v;
	struct span name;
	enum err e = OK;

	if (context->kind == JSON_IS_MISSING || context->kind == JSON_IS_NULL)
		return OK;
	if (context->kind != JSON_IS_OBJECT)
		return ERR_MALFORMED;
	w = json_walk(context);
	while (e == OK && json_walk_next(&w, &name, &v))
		if (!is_ours(name) && !comes_again(w, name))
			e = put_value(o, name, &v);
	return e;
}

static char *make_context(const struct json_value *context, struct span principal,
			  int64_t latency_ms)
{
	struct json_out o;
	struct blob *b;
	char *text = NULL;
	enum err e;

	json_out_init(&o, context->raw.n + principal.n + 80);
	json_out_raw(&o, "{");
	e = put_context(&o, context);
	json_out_raw(&o, "\"principalId\":");
	put_string(&o, principal);
	json_out_raw(&o, ",\"integrationLatency\":");
	json_out_number(&o, latency_ms);
	json_out_raw(&o, "}");
	b = json_out_end(&o);
	if (e == OK)
		text = span_dup(blob_span(b));
	blob_unref(b);
	return text;
}

static enum err malformed(struct event_grant *out, const char *why)
{
	snprintf(out->why, sizeof out->why, "malformed result: %s", why);
	return ERR_MALFORMED;
}

/* The whole of it; *repaired is what v points into when some of its bytes were not UTF-8, else NULL. */
static enum err read_payload(struct span payload, struct json_value *v,
			     struct blob **repaired, struct event_grant *out)
{
	static const struct json_path whole = {NULL, 0};
	struct json_report report;
	enum err e = json_read(payload, &whole, JSON_OF_FUNCTION, v, &report);

	*repaired = NULL;
	if (e == ERR_TOOBIG)
		return malformed(out, "it is nested deeper than --json-depth");
	if (e != OK) {
		snprintf(out->why, sizeof out->why,
			 "malformed result: not JSON: at byte %zu %s was expected",
			 report.at, report.expected);
		return e;
	}
	if (report.not_utf8) {
		*repaired = blob_alloc(utf8_repair(payload, NULL));
		utf8_repair(payload, (*repaired)->p);
		e = json_read(blob_span(*repaired), &whole, JSON_OF_FUNCTION, v, NULL);
		assert(e == OK);
	}
	return e;
}

static enum err grant(const struct json_value *v, const char *arn, int64_t latency_ms,
		      struct event_grant *out)
{
	struct json_value principal, policy, statements, context;
	struct verdict verdict = {false, false};

	if (v->kind != JSON_IS_OBJECT)
		return malformed(out, "it is not an object");
	principal = member(v, "principalId");
	policy = member(v, "policyDocument");
	context = member(v, "context");
	if (principal.kind != JSON_IS_STRING)
		return malformed(out, "its principalId is not a string");
	if (policy.kind != JSON_IS_OBJECT)
		return malformed(out, "its policyDocument is not an object");
	statements = member(&policy, "Statement");
	if (weigh_all(&statements, arn, &verdict) != OK)
		return malformed(out, "a Statement of its policy is not one, or has a "
				      "Condition");
	if (!verdict.allowed || verdict.denied)
		return OK;
	out->context = make_context(&context, principal.raw, latency_ms);
	out->allow = out->context != NULL;
	return out->allow ? OK
			  : malformed(out, "its context is not an object of strings, "
					   "numbers and booleans");
}

enum err event_grant_parse(struct span payload, const char *arn, int64_t latency_ms,
			   struct event_grant *out)
{
	struct blob *repaired;
	struct json_value v;
	enum err e;

	*out = (struct event_grant){0};
	if (payload.n > MOST_BYTES)
		return malformed(out, "it has more than 8 KiB");
	e = read_payload(payload, &v, &repaired, out);
	if (e != OK)
		return ERR_MALFORMED;
	e = grant(&v, arn, latency_ms, out);
	blob_unref(repaired);
	return e;
}
