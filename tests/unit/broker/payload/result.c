#include "broker/payload/event.h"

#include "base/utf8.h"
#include "json/read.h"
#include "sample.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>

enum { TWO_WAY = 100, ONE_WAY, HTTP2 }; /* kinds beside those of events */

/* What is read, in one line: "200 body" and "Name=value" for each header; "failed: why". */
static char *read_as(int kind, const char *payload, size_t n)
{
	const struct event_route route = {.key = "a",
					  .function = "f",
					  .two_way = kind == TWO_WAY,
					  .is_v2 = kind == HTTP2};
	struct sample s = {.kind = kind == HTTP2     ? HTTP
				   : kind >= TWO_WAY ? MESSAGE
						     : kind};
	struct invocation *in = sample_invocation(&s);
	struct event_result *r;
	struct result out;
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	in->route = &route;
	r = event_result_parse(in, span_of(payload, n), &out);
	if (out.kind != RESULT_OK)
		fprintf(f, "failed: %s", out.why);
	else
		fprintf(f, "%d %s%s%.*s", out.status, out.binary ? "binary " : "",
			out.has_body ? "=" : "-", SPAN_ARG(out.body));
	for (size_t i = 0; i < out.n_headers; i++)
		fprintf(f, " %s=%s", out.headers[i].name, out.headers[i].value);
	fclose(f);
	event_result_free(r);
	free(in);
	return text;
}

struct row {
	char section[10];
	int kind;
	char payload[150], want[100];
};

ParameterizedTestParameters(event_result, parse)
{
	static struct row rows[] = {
		/* 2.1: the verdict of $connect */
		{"2.1", CONNECT, "{\"statusCode\":200}", "200 -"},
		{"2.1", CONNECT, " { \"statusCode\" : 401 } ", "401 -"},
		{"2.1", CONNECT, "{\"statusCode\":\"201\"}", "201 -"},
		{"2.1", CONNECT, "{\"statusCode\":501,\"statusCode\":403}", "403 -"},
		{"2.1", CONNECT, "{\"status\\u0043ode\":200}", "200 -"},
		{"2.1", CONNECT,
		 "{\"statusCode\":200,\"headers\":{\"Sec-WebSocket-Protocol\":\"chat\"}}",
		 "200 - Sec-WebSocket-Protocol=chat"},
		{"2.1", CONNECT, "{\"statusCode\":99}", "failed: statusCode"},
		{"2.1", CONNECT, "{\"statusCode\":600}", "failed: statusCode"},
		{"2.1", CONNECT, "{\"statusCode\":200.5}", "failed: statusCode"},
		{"2.1", CONNECT, "{\"statusCode\":-20}", "failed: statusCode"},
		{"2.1", CONNECT, "{\"statusCode\":true}", "failed: statusCode"},
		{"2.1", CONNECT, "{\"statusCode\":null}", "failed: statusCode"},
		{"2.1", CONNECT, "{\"statusCode\":\"ok\"}", "failed: statusCode"},
		{"2.1", CONNECT, "{}", "failed: no object"},
		{"2.1", CONNECT, "null", "failed: no object"},
		{"2.1", CONNECT, "[{\"statusCode\":200}]", "failed: no object"},
		{"2.1", CONNECT, "{\"a\":{\"statusCode\":200}}", "failed: no object"},
		{"2.1", CONNECT, "\"statusCode\"", "failed: no object"},
		{"2.1", CONNECT, "", "failed: not JSON"},
		{"2.1", CONNECT, "OK", "failed: not JSON"},
		{"2.1", CONNECT, "{\"statusCode\":200", "failed: not JSON"},
		{"2.1", CONNECT, "{\"statusCode\":200}}", "failed: not JSON"},
		/* 1.3: what a client gets for its message */
		{"1.3", TWO_WAY, "{\"statusCode\":200,\"body\":\"hi\"}", "200 =hi"},
		{"1.3", TWO_WAY, "{\"statusCode\":500,\"body\":\"hi\"}", "200 =hi"},
		{"1.3", TWO_WAY, "{\"statusCode\":\"?\",\"body\":\"\"}", "200 ="},
		{"1.3", TWO_WAY, "{\"body\":\"hi\"}", "200 =hi"},
		{"1.3", TWO_WAY, "{\"body\":\"a\\n\\u00e9\"}", "200 =a\n\xc3\xa9"},
		{"1.3", TWO_WAY, "{\"statusCode\":200}", "200 -"},
		{"1.3", TWO_WAY, "{\"body\":null}", "200 -"},
		{"1.3", TWO_WAY, "null", "200 -"},
		{"1.3", TWO_WAY, "\"hi\"", "200 -"},
		{"1.3", TWO_WAY, "[]", "200 -"},
		{"1.3", TWO_WAY, "{\"body\":{}}", "failed: body is not a string"},
		{"1.3", TWO_WAY, "{\"body\":7}", "failed: body is not a string"},
		{"1.3", TWO_WAY, "{\"body\":\"a\\ud83d b\\udc00\"}",
		 "200 =a\xef\xbf\xbd b\xef\xbf\xbd"},
		{"1.3", TWO_WAY, "{\"body\":\"a\xff\xe2\x82z\"}",
		 "200 =a\xef\xbf\xbd\xef\xbf\xbdz"},
		{"1.3", TWO_WAY, "{\"x\xff\":1,\"body\":\"\\u00e9\xff\"}",
		 "200 =\xc3\xa9\xef\xbf\xbd"},
		{"1.3", TWO_WAY, "{\"x\":[NaN,-Infinity],\"body\":\"hi\"}", "200 =hi"},
		{"1.3", TWO_WAY, "\xef\xbb\xbf{\"body\":\"hi\"}\r\n", "200 =hi"},
		{"1.3", TWO_WAY, "{\"body\":\"a\nb\"}", "200 =a\nb"},
		{"1.3", TWO_WAY, "{\"body\":1,\"body\":\"hi\"}", "200 =hi"},
		{"1.3", TWO_WAY, "{\"body\":\"hi\" \"x\":1}",
		 "failed: not JSON: at byte 13 a comma or } was expected"},
		{"1.3", TWO_WAY, "{\"a\":1,\"body\":7}",
		 "failed: not a string, at byte 14"},
		{"1.3", TWO_WAY, "hi", "failed: not JSON"},
		{"1.3", TWO_WAY, "{\"body\":\"aGk=\",\"isBase64Encoded\":true}",
		 "200 =hi"},
		{"1.3", TWO_WAY, "{\"isBase64Encoded\":true,\"body\":\"/w==\"}",
		 "200 binary =\xff"},
		{"1.3", TWO_WAY, "{\"body\":\"aGk=\",\"isBase64Encoded\":false}",
		 "200 =aGk="},
		{"1.3", TWO_WAY, "{\"body\":\"a\\u0047k=\",\"isBase64Encoded\":true}",
		 "200 =hi"},
		{"1.3", TWO_WAY, "{\"body\":\"aGk\",\"isBase64Encoded\":true}",
		 "failed: base64"},
		{"1.3", ONE_WAY, "{\"statusCode\":500,\"body\":\"hi\"}", "200 -"},
		{"1.3", ONE_WAY, "{\"body\":{}}", "200 -"},
		{"1.3", ONE_WAY, "not JSON", "200 -"},
		{"1.3", DISCONNECT, "", "200 -"},
		/* plain requests */
		{"REST", HTTP, "{\"statusCode\":200,\"body\":\"PONG!\"}",
		 "200 =PONG! Content-Type=application/json"},
		{"REST", HTTP,
		 "{\"statusCode\":200,\"body\":\"x\",\"headers\":{\"content-type\":"
		 "\"text/html\"}}",
		 "200 =x content-type=text/html"},
		{"REST", HTTP, "{\"statusCode\":204}", "204 -"},
		{"REST", HTTP,
		 "{\"statusCode\":204,\"headers\":{\"A\":1,\"B\":true,\"C\":null,\"D\":"
		 "\"d\"}}",
		 "204 - A=1 B=true D=d"},
		{"REST", HTTP,
		 "{\"statusCode\":204,\"multiValueHeaders\":{\"A\":[\"1\",2],\"B\":\"b\"}"
		 "}",
		 "204 - A=1 A=2 B=b"},
		{"REST", HTTP,
		 "{\"statusCode\":204,\"headers\":{\"a\":\"1\",\"b\":\"2\"},"
		 "\"multiValueHeaders\":{\"A\":[\"1\"]}}",
		 "204 - A=1 b=2"},
		{"REST", HTTP, "{\"statusCode\":204,\"headers\":null}", "204 -"},
		{"REST", HTTP, "{\"statusCode\":204,\"headers\":[]}", "204 -"},
		{"REST", HTTP,
		 "{\"statusCode\":204,\"headers\":{\"a\":[\"1\"],\"b\":\"2\"}}",
		 "204 - b=2"},
		{"REST", HTTP, "{\"statusCode\":204,\"headers\":{\"a\":{},\"b\":\"2\"}}",
		 "204 - b=2"},
		{"REST", HTTP,
		 "{\"statusCode\":204,\"headers\":{\"a\":\"1\\u0000\",\"b\":\"2\"}}",
		 "204 - b=2"},
		{"REST", HTTP,
		 "{\"statusCode\":204,\"headers\":{\"a\":\"1\\r\\nx: y\",\"b\":\"2\"}}",
		 "204 - b=2"},
		{"REST", HTTP,
		 "{\"statusCode\":204,\"headers\":{\"a: "
		 "x\\r\\nb\":\"1\",\"\":\"2\",\"c\":\"3\"}}",
		 "204 - c=3"},
		{"REST", HTTP,
		 "{\"statusCode\":204,\"multiValueHeaders\":{\"a\":[[],\"1\"]}}",
		 "204 - a=1"},
		{"REST", HTTP,
		 "{\"statusCode\":204,\"headers\":{\"a\":NaN,\"b\":\"\\ud800\"}}",
		 "204 - a=NaN b=\xef\xbf\xbd"},
		{"REST", HTTP, "{\"statusCode\":200,\"body\":{}}",
		 "failed: body is not a string"},
		{"REST", HTTP, "\"PONG!\"", "failed: no object"},
		{"HTTP 2.0", HTTP2, "{\"statusCode\":200,\"body\":\"x\"}",
		 "200 =x Content-Type=text/plain; charset=utf-8"},
		{"HTTP 2.0", HTTP2, "{\"statusCode\":200,\"cookies\":[\"a=1\",\"b=2\"]}",
		 "200 - Set-Cookie=a=1 Set-Cookie=b=2"},
		{"HTTP 2.0", HTTP2,
		 "{\"statusCode\":200,\"cookies\":[\"a=\\n\",[],\"b=2\"]}",
		 "200 - Set-Cookie=b=2"},
		{"HTTP 2.0", HTTP2, "{\"statusCode\":200,\"cookies\":\"a=1\"}", "200 -"},
		{"HTTP 2.0", HTTP2, "\"\\ud800\"",
		 "200 =\xef\xbf\xbd Content-Type=application/json"},
		{"HTTP 2.0", HTTP2, "{\"a\":[1, 2]}",
		 "200 ={\"a\":[1, 2]} Content-Type=application/json"},
		{"HTTP 2.0", HTTP2, "\"Hello from \\\"Lambda\\\"!\"",
		 "200 =Hello from \"Lambda\"! Content-Type=application/json"},
		{"HTTP 2.0", HTTP2, "{\"statusCode\":\"x\"}", "failed: statusCode"},
	};

	return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *r, event_result, parse)
{
	char *got = read_as(r->kind, r->payload, strlen(r->payload));

	if (strncmp(r->want, "failed: ", 8) == 0)
		cr_assert(strstr(got, r->want + 8) != NULL &&
				  strncmp(got, "failed: ", 8) == 0,
			  "section %s: %s gives %s, not %s", r->section, r->payload, got,
			  r->want);
	else
		cr_assert(eq(str, got, r->want), "section %s: %s", r->section,
			  r->payload);
	free(got);
}

/* Every beginning of a result is read without harm, and none but the whole is one. */
Test(event_result, a_result_cut_anywhere_fails)
{
	static const char whole[] =
		"{\"statusCode\":200,\"headers\":{\"a\":\"\\u00e9\\\\\",\"b\":1},"
		"\"multiValueHeaders\":{\"c\":[true,\"x\"]},\"body\":\"aGk=\","
		"\"isBase64Encoded\":true,\"more\":[{\"]}\":\"}]\\\"\"},[]]}";

	for (size_t n = 0; n < sizeof whole - 1; n++) {
		char *exact = malloc(n + 1), *got;

		memcpy(exact, whole, n);
		got = read_as(HTTP, exact, n);
		cr_assert(strncmp(got, "failed: ", 8) == 0, "%zu bytes: %s", n, got);
		free(got);
		free(exact);
	}

	char *got = read_as(HTTP, whole, sizeof whole - 1);

	cr_assert(
		eq(str, got,
		   "200 =hi c=true c=x a=\xc3\xa9\\ b=1 Content-Type=application/json"));
	free(got);
}

/* Each byte of a result in turn is one that is not UTF-8, or half of a surrogate pair. */
Test(event_result, no_malformed_character_in_a_string_loses_the_body)
{
	static const char whole[] = "{\"x\":\"12345678\",\"body\":\"123456789012\"}";
	static const char *const bad[] = {"\xff",    "\xc3",    "\xed\xa0\x80",
					  "\\ud800", "\\udfff", "\x01"};

	for (size_t b = 0; b < sizeof bad / sizeof *bad; b++)
		for (size_t at = 6; at < sizeof whole - 3; at++) {
			size_t n = strlen(bad[b]);
			char text[sizeof whole + 8] = "", *got;

			if (memchr("\"body:,", whole[at], 7) != NULL)
				continue;
			memcpy(text, whole, at);
			memcpy(text + at, bad[b], n);
			strcpy(text + at + n, whole + at + 1);
			got = read_as(TWO_WAY, text, strlen(text));
			cr_assert(strncmp(got, "200 =", 5) == 0, "%s: %s", text, got);
			cr_assert(utf8_check(span_str(got)), "%s", text);
			free(got);
		}
}

Test(event_result, one_level_more_than_json_depth_fails_and_says_so)
{
	char text[2 * JSON_DEPTH + 40] = "{\"x\":", *got;
	size_t n = strlen(text);

	memset(text + n, '[', JSON_DEPTH - 1);
	memset(text + n + JSON_DEPTH - 1, ']', JSON_DEPTH - 1);
	strcat(text, ",\"body\":\"hi\"}");
	got = read_as(TWO_WAY, text, strlen(text));
	cr_assert(eq(str, got, "200 =hi"));
	free(got);
	memmove(text + n + 1, text + n, strlen(text + n) + 1);
	got = read_as(TWO_WAY, text, strlen(text));
	cr_assert(strstr(got, "at byte 516 it is nested deeper than --json-depth, 512") !=
			  NULL,
		  "%s", got);
	free(got);
}

Test(event_result, headers_are_bounded)
{
	char payload[8000] = "{\"statusCode\":200,\"headers\":{";
	char *got;

	for (int i = 0; i < 201; i++)
		sprintf(payload + strlen(payload), "%s\"h%d\":\"x\"", i ? "," : "", i);
	strcat(payload, "}}");
	got = read_as(HTTP, payload, strlen(payload));
	cr_assert(strstr(got, "more than 200 headers") != NULL, "%s", got);
	free(got);
}

/* One of them is 4 bytes of the payload, and 100 bytes of an edge's memory. */
Test(event_result, cookies_count_among_the_headers)
{
	char payload[8000] =
		"{\"statusCode\":200,\"headers\":{\"a\":\"b\"},\"cookies\":[\"\"";
	char *got;

	for (int i = 1; i < 200; i++)
		strcat(payload, ",\"\"");
	strcat(payload, "]}");
	got = read_as(HTTP2, payload, strlen(payload));
	cr_assert(strstr(got, "more than 200 headers and cookies") != NULL, "%s", got);
	free(got);
}

/* ---- channels ---- */

/* "kind status user/channels/subscribe/publish/data body", of what is there. */
static char *channels_of(int kind, bool two_way, const char *payload)
{
	static const struct channel_event channel = {.name_space = "room",
						     .action = "publish"};
	const struct event_route route = {
		.key = "a", .function = "f", .two_way = two_way};
	struct sample s = {.kind = kind};
	struct invocation *in = sample_invocation(&s);
	struct event_result *r;
	struct result out;
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	in->route = &route;
	in->channel = kind == HTTP ? &channel : NULL;
	if (in->channel != NULL)
		in->kind = GATEPOST__EVENT__KIND__MESSAGE;
	r = event_result_parse(in, span_str(payload), &out);
	fprintf(f, "%d %d %.*s/%.*s/%.*s/%.*s/%.*s %.*s", (int)out.kind, out.status,
		SPAN_ARG(out.user), SPAN_ARG(out.channels), SPAN_ARG(out.subscribe),
		SPAN_ARG(out.publish), SPAN_ARG(out.data), SPAN_ARG(out.body));
	fclose(f);
	event_result_free(r);
	free(in);
	return text;
}

static const struct {
	int kind; /* HTTP stands for a CHANNEL event */
	bool two_way;
	const char *payload, *want;
} of_channels[] = {
	{CONNECT, false,
	 "{\"statusCode\":200,\"user\":\"u\\u0031\",\"channels\":[\"a\"]}",
	 "0 200 u1/[\"a\"]/// "},
	{CONNECT, false, "{\"statusCode\":200,\"user\":null,\"channels\":null}",
	 "0 200 //// "},
	{CONNECT, false, "{\"statusCode\":200,\"user\":7}", "1 0 //// "},
	{CONNECT, false, "{\"statusCode\":200,\"channels\":\"a\"}", "1 0 //// "},
	{MESSAGE, true,
	 "{\"statusCode\":200,\"body\":\"b\",\"subscribe\":[1],\"publish\":[2]}",
	 "0 200 //[1]/[2]/ b"},
	{MESSAGE, false, "{\"statusCode\":200,\"body\":\"b\",\"subscribe\":[1]}",
	 "0 200 //[1]// "},
	{MESSAGE, false, "{\"publish\":[2]}", "0 200 ///[2]/ "},
	{MESSAGE, false, "{\"publish\":[2]", "0 200 //// "},
	{MESSAGE, false, "nonsense", "0 200 //// "},
	{MESSAGE, true, "{\"subscribe\":\"a\",\"publish\":{}}", "0 200 //// "},
	{HTTP, true, "{\"statusCode\":403,\"body\":\"no\"}", "0 403 //// no"},
	{HTTP, true, "{\"data\":{\"b\":2}}", "0 200 ////{\"b\":2} "},
	{HTTP, true, "null", "0 200 //// "},
	{HTTP, true, "{\"statusCode\":\"x\"}", "1 0 //// "},
};

Test(event_result, has_what_the_function_wants_of_channels)
{
	for (size_t i = 0; i < sizeof of_channels / sizeof *of_channels; i++) {
		char *got = channels_of(of_channels[i].kind, of_channels[i].two_way,
					of_channels[i].payload);

		cr_assert(strcmp(got, of_channels[i].want) == 0, "%s: %s",
			  of_channels[i].payload, got);
		free(got);
	}
}

Test(result, of_an_event_of_the_cluster_may_be_anything)
{
	static const struct channel_event channel = {.action = "occupied",
						     .is_of_cluster = true};
	static const char *const payloads[] = {"", "no JSON", "{\"statusCode\":\"x\"}"};

	for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
		struct sample s = {.kind = MESSAGE};
		struct invocation *in = sample_invocation(&s);
		struct event_result *r;
		struct result out;

		in->channel = &channel;
		r = event_result_parse(in, span_str(payloads[i]), &out);
		cr_assert(eq(int, out.kind, RESULT_OK));
		event_result_free(r);
		free(in);
	}
}
