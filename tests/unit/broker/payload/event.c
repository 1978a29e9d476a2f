#include "broker/payload/event.h"

#include "sample.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static const char upgrade[] = "GET /dev?q=first&q=last+value&empty&%C3%A9=%2F\n"
			      "Host: id.example.com\n"
			      "Connection: Upgrade\n"
			      "Upgrade: websocket\n"
			      "content-length: 0\n"
			      "Sec-WebSocket-Version: 13\n"
			      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n"
			      "User-Agent: Mozilla/5.0 (X11)\n"
			      "x-custom: one\n"
			      "X-Custom: two\n";

static const char post[] = "POST "
			   "/dev/users/7%2F8/files/a/"
			   "b%20c?parameter1=value1&parameter1=value2&parameter2=value\n"
			   "Host: id.example.com\n"
			   "Connection: keep-alive\n"
			   "Content-Type: text/plain\n"
			   "Cookie: cookie1=a; cookie2=b\n"
			   "Header2: value1\n"
			   "header2: value2\n";

/* A call for each golden file; settings go with them. */
static char *make(const char *name)
{
	static const char allowed[] =
		"{\"role\":\"admin\",\"principalId\":\"user\",\"integrationLatency\":12}";
	static const struct {
		const char *name, *key;
		struct sample sample;
		enum event_form form;
		bool context, is_v2;
		const char *resource, *path;
	} all[] = {
		{.name = "connect",
		 .key = "$connect",
		 .sample = {.kind = CONNECT,
			    .head = upgrade,
			    .agent = "Mozilla/5.0 (X11)"}},
		{.name = "connect_bare",
		 .key = "$connect",
		 .sample = {.kind = CONNECT, .head = "GET /dev\nHost: id.example.com\n"}},
		{.name = "message",
		 .key = "say",
		 .sample = {.kind = MESSAGE, .seq = 1, .body = "{\"action\":\"say\"}"}},
		{.name = "message_authorized",
		 .key = "say",
		 .sample =
			 {.kind = MESSAGE, .seq = 2, .body = "x", .authorizer = allowed}},
		{.name = "message_binary",
		 .key = "$default",
		 .sample = {.kind = MESSAGE,
			    .seq = 3,
			    .binary = true,
			    .body = "\0\xff\1\2",
			    .body_n = 4}},
		{.name = "message_context",
		 .key = "say",
		 .context = true,
		 .sample = {.kind = MESSAGE, .seq = 1, .body = "hello", .kept = upgrade}},
		{.name = "disconnect",
		 .key = "$disconnect",
		 .sample = {.kind = DISCONNECT,
			    .seq = 9,
			    .code = 1005,
			    .authorizer = allowed,
			    .body = "Client-side close frame status not set"}},
		{.name = "disconnect_context",
		 .key = "$disconnect",
		 .context = true,
		 .sample = {.kind = DISCONNECT, .seq = 9, .code = 1001, .kept = upgrade}},
		{.name = "authorizer",
		 .key = "$connect",
		 .form = EVENT_AUTHORIZER,
		 .sample = {.kind = CONNECT, .head = upgrade}},
		{.name = "authorizer_bare",
		 .key = "$connect",
		 .form = EVENT_AUTHORIZER,
		 .sample = {.kind = CONNECT, .head = "GET /dev\nHost: id.example.com\n"}},
		{.name = "rest",
		 .key = "POST /users/{id}/files/{rest+}",
		 .resource = "/users/{id}/files/{rest+}",
		 .path = "/users/7%2F8/files/a/b%20c",
		 .sample = {.kind = HTTP,
			    .head = post,
			    .body = "Hello",
			    .agent = "curl/8"}},
		{.name = "rest_bare",
		 .key = "GET /ping",
		 .resource = "/ping",
		 .path = "/ping",
		 .sample = {.kind = HTTP,
			    .head = "GET /dev/ping\nHost: id.example.com\n"}},
		{.name = "http2",
		 .key = "POST /users/{id}/files/{rest+}",
		 .is_v2 = true,
		 .resource = "/users/{id}/files/{rest+}",
		 .path = "/users/7%2F8/files/a/b%20c",
		 .sample = {.kind = HTTP,
			    .head = post,
			    .body = "Hello",
			    .agent = "curl/8"}},
		{.name = "http2_bare",
		 .key = "GET /ping",
		 .is_v2 = true,
		 .resource = "/ping",
		 .path = "/ping",
		 .sample = {.kind = HTTP,
			    .head = "GET /dev/ping\nHost: id.example.com\n"}},
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct sample_setting s = sample_setting(all[i].key);

		if (strcmp(all[i].name, name) != 0)
			continue;
		s.setting.context = all[i].context;
		s.route.is_v2 = all[i].is_v2;
		s.route.resource = all[i].resource;
		s.path = all[i].path;
		return sample_event(sample_invocation(&all[i].sample), all[i].form, &s);
	}
	cr_assert(false, "%s is no event", name);
	return NULL;
}

static bool is(const json_t *v, json_type type)
{
	return v != NULL && json_typeof(v) == type;
}

/* The text of one event, in one line, keys as they are. */
static char *in_one_line(json_t *root)
{
	char *text = json_dumps(root, JSON_COMPACT);

	json_decref(root);
	return text;
}

static json_t *load_golden(const char *name)
{
	char path[300];
	json_error_t why;
	json_t *root;

	snprintf(path, sizeof path, "%s/%s.json", EVENTS, name);
	root = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
	cr_assert(root != NULL, "%s:%d: %s", path, why.line, why.text);
	return root;
}

static json_t *load_event(const char *name)
{
	char *text = make(name);
	json_error_t why;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &why);

	cr_assert(root != NULL, "column %d: %s: %s", why.column, why.text, text);
	free(text);
	return root;
}

struct golden {
	char name[30], section[12];
};

/* Field for field, value for value, and in API Gateway's order. */
ParameterizedTestParameters(event, golden)
{
	static struct golden rows[] = {
		{"connect", "3"},         {"connect_bare", "3"},
		{"message", "3"},         {"message_authorized", "2.2, 3"},
		{"message_binary", "9"},  {"message_context", "9"},
		{"disconnect", "2.2, 3"}, {"disconnect_context", "9"},
		{"authorizer", "2.2"},    {"authorizer_bare", "2.2"},
		{"rest", "REST 1.0"},     {"rest_bare", "REST 1.0"},
		{"http2", "HTTP 2.0"},    {"http2_bare", "HTTP 2.0"},
	};

	return cr_make_param_array(struct golden, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct golden *r, event, golden)
{
	char *got = make(r->name);
	char *want = in_one_line(load_golden(r->name));

	cr_assert(eq(str, got, want), "%s, section %s", r->name, r->section);
	free(got);
	free(want);
}

struct keys {
	char section[12], event[30], inside[50], keys[300];
};

/* The keys that the specification names, and no others. */
ParameterizedTestParameters(event, keys)
{
	static struct keys rows[] = {
		{"3", "connect", "",
		 "headers multiValueHeaders queryStringParameters "
		 "multiValueQueryStringParameters requestContext isBase64Encoded"},
		{"3", "connect_bare", "",
		 "headers multiValueHeaders requestContext isBase64Encoded"},
		{"3", "connect", "requestContext",
		 "routeKey eventType extendedRequestId requestTime messageDirection "
		 "stage "
		 "connectedAt requestTimeEpoch identity requestId domainName "
		 "connectionId "
		 "apiId"},
		{"3", "connect", "requestContext.identity", "userAgent sourceIp"},
		{"3", "connect_bare", "requestContext.identity", "sourceIp"},
		{"3", "connect", "headers",
		 "Sec-WebSocket-Key Sec-WebSocket-Version User-Agent x-custom Host "
		 "X-Amzn-Trace-Id X-Forwarded-For X-Forwarded-Port X-Forwarded-Proto"},
		{"3", "message", "", "requestContext body isBase64Encoded"},
		{"3", "message", "requestContext",
		 "routeKey messageId eventType extendedRequestId requestTime "
		 "messageDirection stage connectedAt requestTimeEpoch identity requestId "
		 "domainName connectionId apiId"},
		{"2.2", "message_authorized", "requestContext",
		 "routeKey authorizer messageId eventType extendedRequestId requestTime "
		 "messageDirection stage connectedAt requestTimeEpoch identity requestId "
		 "domainName connectionId apiId"},
		{"3", "disconnect_context", "",
		 "headers multiValueHeaders queryStringParameters "
		 "multiValueQueryStringParameters requestContext isBase64Encoded"},
		{"3", "disconnect", "",
		 "headers multiValueHeaders requestContext isBase64Encoded"},
		{"3", "disconnect", "headers",
		 "Host x-api-key X-Forwarded-For x-restapi"},
		{"3", "disconnect", "multiValueHeaders",
		 "Host x-api-key X-Forwarded-For x-restapi"},
		{"3", "disconnect", "requestContext",
		 "routeKey authorizer disconnectStatusCode eventType extendedRequestId "
		 "requestTime messageDirection disconnectReason stage connectedAt "
		 "requestTimeEpoch identity requestId domainName connectionId apiId"},
		{"2.2", "authorizer_bare", "",
		 "type methodArn headers multiValueHeaders queryStringParameters "
		 "multiValueQueryStringParameters stageVariables requestContext"},
		{"2.2", "authorizer_bare", "headers",
		 "Connection content-length Host Upgrade X-Amzn-Trace-Id X-Forwarded-For "
		 "X-Forwarded-Port X-Forwarded-Proto"},
		{"2.2", "authorizer_bare", "queryStringParameters", ""},
		{"2.2", "authorizer_bare", "stageVariables", ""},
		{"REST 1.0", "rest_bare", "",
		 "resource path httpMethod headers multiValueHeaders "
		 "queryStringParameters "
		 "multiValueQueryStringParameters pathParameters stageVariables "
		 "requestContext body isBase64Encoded"},
		{"HTTP 2.0", "http2", "",
		 "version routeKey rawPath rawQueryString cookies headers "
		 "queryStringParameters requestContext body pathParameters "
		 "isBase64Encoded"},
		{"HTTP 2.0", "http2_bare", "",
		 "version routeKey rawPath rawQueryString headers requestContext "
		 "isBase64Encoded"},
	};

	return cr_make_param_array(struct keys, rows, sizeof rows / sizeof *rows);
}

/* Its keys, each once, in alphabetical order, so that only their set is compared. */
static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void join_sorted(char **list, size_t n, char *out)
{
	*out = '\0';
	qsort(list, n, sizeof *list, by_text);
	for (size_t i = 0; i < n; i++)
		sprintf(out + strlen(out), "%s ", list[i]);
}

static void keys_of(json_t *object, char *out)
{
	char *list[40];
	size_t n = 0;
	const char *key;
	json_t *v;

	json_object_foreach (object, key, v)
		list[n++] = (char *)(uintptr_t)key;
	join_sorted(list, n, out);
}

static void words_of(char *text, char *out)
{
	char *list[40], *save, *word = strtok_r(text, " ", &save);
	size_t n = 0;

	for (; word; word = strtok_r(NULL, " ", &save))
		list[n++] = word;
	join_sorted(list, n, out);
}

ParameterizedTest(struct keys *r, event, keys)
{
	json_t *root = load_event(r->event), *at = root;
	char got[1000], want[1000], *save;

	for (char *step = strtok_r(r->inside, ".", &save); step;
	     step = strtok_r(NULL, ".", &save))
		at = json_object_get(at, step);
	cr_assert(is(at, JSON_OBJECT), "%s has no such object", r->event);
	keys_of(at, got);
	words_of(r->keys, want);
	cr_assert(eq(str, got, want), "section %s, %s", r->section, r->event);
	json_decref(root);
}

/* ---- what golden files cannot say ---- */

/* A copy of the text at "a.b.c" of an event. */
static char *text_at(char *event, const char *path)
{
	json_t *root = json_loads(event, JSON_REJECT_DUPLICATES, NULL), *at = root;
	char steps[200], *save, *out;

	cr_assert(root != NULL, "%s", event);
	snprintf(steps, sizeof steps, "%s", path);
	for (char *step = strtok_r(steps, "/", &save); step;
	     step = strtok_r(NULL, "/", &save))
		at = json_object_get(at, step);
	cr_assert(is(at, JSON_STRING), "no text at %s of %s", path, event);
	out = strdup(json_string_value(at));
	json_decref(root);
	free(event);
	return out;
}

static char *connect_text(const char *head, const char *path)
{
	struct sample_setting s = sample_setting("$connect");
	struct sample b = {.kind = CONNECT, .head = head};

	return text_at(sample_event(sample_invocation(&b), EVENT_PROXY, &s), path);
}

struct header_row {
	char why[60], head[160], name[20], want[60];
};

ParameterizedTestParameters(event, gateway_headers)
{
	static struct header_row rows[] = {
		{"the edge's address alone", "GET /dev\n", "X-Forwarded-For",
		 "192.0.2.7"},
		{"behind the client's list",
		 "GET /dev\nX-Forwarded-For: 1.1.1.1, 2.2.2.2\n", "X-Forwarded-For",
		 "1.1.1.1, 2.2.2.2, 192.0.2.7"},
		{"behind two lists",
		 "GET /dev\nX-Forwarded-For: 1.1.1.1\nx-forwarded-for: 2.2.2.2\n",
		 "X-Forwarded-For", "1.1.1.1, 2.2.2.2, 192.0.2.7"},
		{"a list of nothing", "GET /dev\nX-Forwarded-For: \n", "X-Forwarded-For",
		 "192.0.2.7"},
		{"plain HTTP", "GET /dev\n", "X-Forwarded-Proto", "http"},
		{"its port", "GET /dev\n", "X-Forwarded-Port", "80"},
		{"a proxy's TLS", "GET /dev\nX-Forwarded-Proto: https\n",
		 "X-Forwarded-Proto", "https"},
		{"its port", "GET /dev\nX-Forwarded-Proto: https\n", "X-Forwarded-Port",
		 "443"},
		{"the proxy says the port",
		 "GET /dev\nX-Forwarded-Proto: https\nX-Forwarded-Port: 8443\n",
		 "X-Forwarded-Port", "8443"},
		{"the trace that came", "GET /dev\nX-Amzn-Trace-Id: Root=1-2-3\n",
		 "X-Amzn-Trace-Id", "Root=1-2-3"},
		{"Latin-1", "GET /dev\nx-name: caf\xe9\n", "x-name", "caf\xc3\xa9"},
		{"UTF-8", "GET /dev\nx-name: caf\xc3\xa9\n", "x-name", "caf\xc3\xa9"},
		{"the last value", "GET /dev\nx-a: 1\nX-A: 2\n", "x-a", "2"},
	};

	return cr_make_param_array(struct header_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct header_row *r, event, gateway_headers)
{
	char path[40], *got;

	snprintf(path, sizeof path, "headers/%s", r->name);
	got = connect_text(r->head, path);
	cr_assert(eq(str, got, r->want), "%s", r->why);
	free(got);
}

static char *port_of(const char *host)
{
	struct sample_setting s = sample_setting("$connect");
	struct sample b = {.kind = CONNECT, .host = host, .head = "GET /dev\n"};

	return text_at(sample_event(sample_invocation(&b), EVENT_PROXY, &s),
		       "headers/X-Forwarded-Port");
}

Test(event, the_port_is_that_of_host)
{
	char *with = port_of("127.0.0.1:8080"), *six = port_of("[::1]");
	char *both = port_of("[::1]:81"), *end = port_of("8080");

	cr_assert(eq(str, with, "8080"));
	cr_assert(eq(str, six, "80"));
	cr_assert(eq(str, both, "81"));
	cr_assert(eq(str, end, "80"));
	free(with);
	free(six);
	free(both);
	free(end);
}

struct query {
	char query[40], name[20], want[20];
};

ParameterizedTestParameters(event, query)
{
	static struct query rows[] = {
		{"a=1&a=2", "a", "2"},
		{"a=1&b=2&a=3", "a", "3"},
		{"a", "a", ""},
		{"a=", "a", ""},
		{"=x", "", "x"},
		{"a=b=c", "a", "b=c"},
		{"a%20b=c+d", "a b", "c d"},
		{"a=%", "a", "%"},
		{"a=%4", "a", "%4"},
		{"a=%zz%41", "a", "%zzA"},
		{"&&a=1&&", "a", "1"},
		{"a=%C3%A9", "a", "\xc3\xa9"},
		{"a=%ff", "a", "\xef\xbf\xbd"},
	};

	return cr_make_param_array(struct query, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct query *r, event, query)
{
	struct sample_setting s = sample_setting("$connect");
	char head[60];
	struct sample b = {.kind = CONNECT, .head = head};
	char *event, want[200];

	snprintf(head, sizeof head, "GET /dev?%s\n", r->query);
	snprintf(want, sizeof want, "\"%s\":\"%s\"", r->name, r->want);
	event = sample_event(sample_invocation(&b), EVENT_PROXY, &s);
	cr_assert(strstr(event, want) != NULL, "%s in %s", want, event);
	free(event);
}

Test(event, a_query_of_nothing_but_ampersands_is_none)
{
	struct sample_setting s = sample_setting("$connect");
	struct sample b = {.kind = CONNECT, .head = "GET /dev?&&\n"};
	char *event = sample_event(sample_invocation(&b), EVENT_PROXY, &s);

	cr_assert(strstr(event, "ueryStringParameters") == NULL, "%s", event);
	free(event);
}

Test(event, all_events_of_a_connection_have_one_trace)
{
	struct sample_setting s = sample_setting("say");
	struct sample b = {.kind = MESSAGE, .seq = 7, .body = "x", .kept = "GET /dev\n"};
	char *connect = connect_text("GET /dev\n", "headers/X-Amzn-Trace-Id"), *message;

	s.setting.context = true;
	message = text_at(sample_event(sample_invocation(&b), EVENT_PROXY, &s),
			  "headers/X-Amzn-Trace-Id");
	cr_assert(eq(str, connect, message));
	cr_assert(strncmp(message, "Root=1-6731ebfc-", 16) == 0, "%s", message);
	free(connect);
	free(message);
}

/* Any bytes at all: what comes out is JSON, and says the same of ASCII. */
Test(event, any_body_gives_json)
{
	struct sample_setting s = sample_setting("$default");
	uint8_t body[3];

	for (unsigned v = 0; v < 0x10000; v += 7) {
		struct sample b = {.kind = MESSAGE, .body = (char *)body, .body_n = 3};
		char *event;
		json_t *root;

		body[0] = (uint8_t)v;
		body[1] = (uint8_t)(v >> 8);
		body[2] = 'z';
		event = sample_event(sample_invocation(&b), EVENT_PROXY, &s);
		root = json_loads(event, JSON_ALLOW_NUL, NULL);
		cr_assert(root != NULL, "%x %s", v, event);
		if (body[0] < 0x80 && body[1] < 0x80)
			cr_assert(memcmp(json_string_value(json_object_get(root, "body")),
					 body, 3) == 0);
		json_decref(root);
		free(event);
	}
}

Test(event, the_ids_of_an_event_stay_and_differ)
{
	struct sample_setting s = sample_setting("say");
	struct sample b = {.kind = MESSAGE, .seq = 5, .body = "x"};
	char *again = sample_event(sample_invocation(&b), EVENT_PROXY, &s);
	char *event = sample_event(sample_invocation(&b), EVENT_PROXY, &s);

	cr_assert(eq(str, event, again));

	char *request = text_at(event, "requestContext/requestId");
	char *message = text_at(again, "requestContext/messageId");

	cr_assert(ne(str, request, message));
	cr_assert(eq(sz, strlen(message), ID_TEXT - 1));
	free(request);
	free(message);
}

Test(event, a_disconnect_is_the_same_whatever_its_number)
{
	struct sample_setting s = sample_setting("$disconnect");
	struct sample b = {.kind = DISCONNECT, .seq = 4, .code = 1006};
	char *by_edge = sample_event(sample_invocation(&b), EVENT_PROXY, &s), *by_reaper;

	b.seq = 0;
	by_reaper = sample_event(sample_invocation(&b), EVENT_PROXY, &s);
	cr_assert(eq(str, by_edge, by_reaper));
	free(by_edge);
	free(by_reaper);
}

Test(event, a_body_that_is_no_text_goes_in_base64)
{
	struct sample_setting s = sample_setting("POST /up");
	struct sample b = {.kind = HTTP, .head = "POST /dev/up\n", .body = "\xff\xfe"};
	char *event;

	s.route.resource = s.path = "/up";
	event = sample_event(sample_invocation(&b), EVENT_PROXY, &s);
	cr_assert(strstr(event, "\"body\":\"//4=\",\"isBase64Encoded\":true") != NULL,
		  "%s", event);
	free(event);
}

/* What an edge packed wrongly is no event. */
static bool is_made(struct invocation *in, enum event_form form)
{
	struct sample_setting s = sample_setting("$connect");
	struct blob *b;

	in->setting = &s.setting;
	in->route = &s.route;
	b = event_json(in, form);
	blob_unref(b);
	return b != NULL;
}

Test(event, nonsense_gives_nothing)
{
	struct sample good = {.kind = CONNECT, .head = "GET /dev\n"};
	struct sample authorizer = {
		.kind = MESSAGE, .body = "x", .authorizer = "{\"a\":}"};
	struct sample list = {.kind = MESSAGE, .body = "x", .authorizer = "[1]"};
	struct invocation *in = sample_invocation(&good);

	cr_assert(is_made(in, EVENT_PROXY));
	in->context = span_of("\xff\xff\xff", 3);
	cr_assert(not(is_made(in, EVENT_PROXY)));
	free(in);
	in = sample_invocation(&good);
	in->request = span_of("\xff\xff\xff", 3);
	cr_assert(not(is_made(in, EVENT_PROXY)));
	cr_assert(not(is_made(in, EVENT_AUTHORIZER)));
	free(in);
	in = sample_invocation(&authorizer);
	cr_assert(not(is_made(in, EVENT_PROXY)));
	free(in);
	in = sample_invocation(&list);
	cr_assert(not(is_made(in, EVENT_PROXY)));
	free(in);
}

Test(event, the_arn_names_the_stage_and_the_route)
{
	struct sample_setting s = sample_setting("$connect");
	char *arn = event_arn(&s.setting);

	cr_assert(
		eq(str, arn,
		   "arn:aws:execute-api:us-east-1:123456789012:abcdef1234/dev/$connect"));
	free(arn);
}

/* The other members are those of a message: tests/unit/broker/events/message.json. */
Test(event, one_of_a_channel_names_it)
{
	static const struct channel_event channel = {
		.name = {(const uint8_t *)"room:1", 6},
		.name_space = "room",
		.action = "publish"};
	struct sample_setting setting = sample_setting("publish");
	struct invocation *in =
		sample_invocation(&(struct sample){.kind = MESSAGE, .body = "{\"a\":1}"});
	char *text;

	in->channel = &channel;
	text = sample_event(in, EVENT_PROXY, &setting);
	cr_assert(strstr(text, "\"eventType\":\"CHANNEL\"") != NULL, "%s", text);
	cr_assert(strstr(text, "\"channel\":{\"name\":\"room:1\",\"namespace\":\"room\","
			       "\"action\":\"publish\"}") != NULL,
		  "%s", text);
	cr_assert(strstr(text, "\"body\":\"{\\\"a\\\":1}\"") != NULL, "%s", text);
	free(text);
}

Test(event, one_of_the_cluster_has_a_position_and_no_connection)
{
	static const struct channel_event channel = {
		.name = {(const uint8_t *)"room:1", 6},
		.name_space = "room",
		.action = "vacated",
		.is_of_cluster = true,
		.epoch = {(const uint8_t *)"18bf", 4},
		.offset = 41};
	static const char *const absent[] = {"connectionId", "connectedAt", "domainName",
					     "identity",     "messageId",   "body"};
	struct sample_setting setting = sample_setting("vacated");
	struct invocation *in = sample_invocation(&(struct sample){.kind = MESSAGE});
	char *text;

	in->channel = &channel;
	in->body = (struct span){0};
	in->context = (struct span){0};
	text = sample_event(in, EVENT_PROXY, &setting);
	cr_assert(strstr(text, "\"eventType\":\"CHANNEL\"") != NULL, "%s", text);
	cr_assert(strstr(text,
			 "\"channel\":{\"name\":\"room:1\",\"namespace\":\"room\","
			 "\"action\":\"vacated\",\"epoch\":\"18bf\",\"offset\":41}") !=
			  NULL,
		  "%s", text);
	cr_assert(strstr(text, "\"requestId\":") != NULL, "%s", text);
	for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
		cr_assert(strstr(text, absent[i]) == NULL, "%s", text);
	free(text);
}
