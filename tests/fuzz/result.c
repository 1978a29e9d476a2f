/*
 * What functions return: the same bytes as the result of each kind of event, as an
 * authorizer's policy, and as a message whose event is made. Whatever they are, what is
 * read lies where it may, and what is made is JSON.
 */
#include "base/utf8.h"
#include "broker/payload/event.h"
#include "json/read.h"

#include <stdlib.h>

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_json(struct span text)
{
	static const struct json_path whole = {NULL, 0};
	struct json_value v;

	check(json_find(text, &whole, &v) == OK && v.kind == JSON_IS_OBJECT);
}

static void check_result(struct invocation *in, struct span payload)
{
	struct result out;
	struct event_result *r = event_result_parse(in, payload, &out);
	size_t letters = 0;

	check((out.kind == RESULT_OK) == (out.why == NULL));
	check(out.kind != RESULT_OK || (out.status >= 200 && out.status <= 599));
	for (size_t i = 0; i < out.n_headers; i++)
		letters += strlen(out.headers[i].name) + strlen(out.headers[i].value);
	for (size_t i = 0; out.has_body && i < out.body.n; i++)
		letters += out.body.p[i];
	check(letters < SIZE_MAX); /* each byte was read */
	check(out.kind != RESULT_OK || out.binary || utf8_check(out.body));
	for (size_t i = 0; i < out.n_headers; i++)
		check(utf8_check(span_str(out.headers[i].value)) &&
		      strpbrk(out.headers[i].value, "\r\n") == NULL);
	event_result_free(r);
}

static void check_grant(struct span payload)
{
	struct event_grant g;
	enum err e =
		event_grant_parse(payload, "arn:aws:execute-api:a:b/c/$connect", 3, &g);

	check((e == OK && g.allow) == (g.context != NULL));
	if (g.allow)
		check_json(span_str(g.context));
	free(g.context);
}

static void check_event(struct invocation *in, struct span body)
{
	struct blob *b;

	in->body = body;
	b = event_json(in, EVENT_PROXY);
	check_json(blob_span(b));
	blob_unref(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const struct event_setting setting = {
		.stage = "dev", .api_id = "a", .account = "1", .region = "r"};
	static const struct event_route two_way = {
		.key = "$default", .function = "f", .two_way = true};
	static const struct event_route http[] = {
		{.key = "GET /", .function = "f"},
		{.key = "GET /", .function = "f", .is_v2 = true}};
	struct invocation in = {.setting = &setting};
	struct span payload = span_of(n ? p : (const uint8_t *)"", n);

	in.kind = GATEPOST__EVENT__KIND__MESSAGE;
	in.route = &two_way;
	check_result(&in, payload);
	check_event(&in, payload);
	in.kind = GATEPOST__EVENT__KIND__HTTP;
	for (size_t i = 0; i < 2; i++) {
		in.route = &http[i];
		check_result(&in, payload);
	}
	check_grant(payload);
	return 0;
}
