/*
 * JSON beside another reader of it (jansson), and a route expression over it. Bytes
 * before the first newline are the expression, the rest is the document.
 */
#include "base/utf8.h"
#include "broker/routes/expression.h"
#include "json/read.h"

#include <jansson.h>
#include <stdlib.h>

static void check(bool holds)
{
	if (!holds)
		abort();
}

static bool is_deep(struct span doc)
{
	size_t opened = 0;

	for (size_t i = 0; i < doc.n; i++)
		opened += doc.p[i] == '[' || doc.p[i] == '{';
	return opened > json_depth();
}

/* Where jansson refuses what RFC 8259 lets pass: half surrogates, and numbers that C cannot hold. */
static bool is_beyond_jansson(struct span doc)
{
	size_t digits = 0;

	for (size_t i = 0; i < doc.n; i++) {
		bool digit = doc.p[i] >= '0' && doc.p[i] <= '9';

		digits = digit ? digits + 1 : 0;
		if (doc.p[i] == '\\' || digits > 17 ||
		    (digit && i && (doc.p[i - 1] | 0x20) == 'e') || doc.p[i] == '+')
			return true;
	}
	return false;
}

/* The string "action" of the document, by both. */
static void check_action(struct span doc, const json_t *root)
{
	struct json_step step = {.key = span_str("action")};
	struct json_path path = {&step, 1};
	const json_t *want = json_object_get(root, "action");
	struct json_value v;
	struct span got;
	uint8_t *room = malloc(doc.n + 1);

	check(json_find(doc, &path, &v) == OK);
	check((v.kind == JSON_IS_MISSING) == (want == NULL));
	check((v.kind == JSON_IS_STRING) == json_is_string(want));
	check(v.kind == JSON_IS_MISSING ||
	      (v.raw.p >= doc.p && v.raw.p + v.raw.n <= doc.p + doc.n));
	if (json_is_string(want)) {
		check(json_unescape(v.raw, room, doc.n, &got) == OK);
		check(span_eq(
			got, span_of(json_string_value(want), json_string_length(want))));
	}
	free(room);
}

static void check_document(struct span doc)
{
	struct json_path whole = {NULL, 0};
	struct json_value v;
	enum err e = json_find(doc, &whole, &v);
	json_t *root = json_loadb((const char *)doc.p, doc.n,
				  JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

	check(e == OK || e == ERR_MALFORMED || (e == ERR_TOOBIG && is_deep(doc)));
	if (doc.n && memchr(doc.p, 0, doc.n)) /* jansson takes it for the end */
		check(e != OK);
	else if (root)
		check(e == OK || is_deep(doc));
	else
		check(e != OK || is_beyond_jansson(doc));
	if (root && e == OK)
		check_action(doc, root);
	json_decref(root);
}

static void check_expression(struct span text, struct span body)
{
	char why[64], key[128];
	size_t n = 0;
	char *copy = span_dup(text);
	struct expression *x = expression_new(copy, why, sizeof why);

	if (x) {
		enum err e = expression_eval(x, body, key, sizeof key, &n);

		check(n <= sizeof key &&
		      (e == OK || e == ERR_MALFORMED || e == ERR_TOOBIG));
	} else {
		check(strlen(why) > 0);
	}
	expression_free(x);
	free(copy);
}

/* What strict readers take, lenient ones take too; and what those take is JSON once its bytes are UTF-8. */
static void check_lenient(struct span doc)
{
	static const struct json_path whole = {NULL, 0};
	struct json_value strict, lenient;
	struct json_report report;
	enum err e = json_read(doc, &whole, JSON_OF_FUNCTION, &lenient, &report);
	size_t n = utf8_repair(doc, NULL);
	uint8_t *copy = malloc(n + 1), *room;
	struct span out;

	check(report.at <= doc.n);
	check(utf8_repair(doc, copy) == n && utf8_check(span_of(copy, n)));
	if (json_find(doc, &whole, &strict) == OK)
		check(e == OK && !report.not_utf8 && span_eq(strict.raw, lenient.raw));
	if (e == OK)
		check(report.not_utf8 == !utf8_check(doc) &&
		      json_read(span_of(copy, n), &whole, JSON_OF_FUNCTION, &lenient,
				&report) == OK &&
		      !report.not_utf8);
	if (e == OK && lenient.kind == JSON_IS_STRING) {
		room = malloc(lenient.raw.n);
		json_unescape_lenient(lenient.raw, room, &out);
		check(utf8_check(out) && out.n <= lenient.raw.n - 2);
		free(room);
	}
	free(copy);
}

/* Any bytes, escaped, are a JSON string. */
static void check_escape(struct span in)
{
	struct evbuffer *out = evbuffer_new();
	struct json_path whole = {NULL, 0};
	struct json_value v;

	json_escape(in, out);
	check(json_find(span_of(evbuffer_pullup(out, -1), evbuffer_get_length(out)),
			&whole, &v) == OK);
	check(v.kind == JSON_IS_STRING);
	evbuffer_free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const uint8_t *newline = n ? memchr(p, '\n', n) : NULL;
	size_t cut = newline ? (size_t)(newline - p) + 1 : 0;
	struct span doc = span_of(n ? p + cut : (const uint8_t *)"", n - cut);

	json_set_depth(JSON_DEPTH_LEAST); /* so that inputs get there */
	check_document(doc);
	check_lenient(doc);
	check_expression(span_of(p, cut ? cut - 1 : 0), doc);
	check_escape(doc);
	return 0;
}
