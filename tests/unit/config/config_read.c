/* Files as they are found in the world, as a whole. */
#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

ParameterizedTestParameters(config_read, refuses)
{
	static struct fixture_row rows[] = {
		{"no functions", "service: a\n",
		 "1:1: functions is missing; allowed: functions: { NAME: { handler: …, "
		 "events: [ … ] } }\n"},
		{"functions misspelt",
		 "service: a\n"
		 "functons:\n"
		 "  f: { handler: builtin:echo }\n",
		 "2:1: there is no key \"functons\"; did you mean functions?\n"},
		{"gatepost misspelt",
		 FIXTURE_ANY "gatepots:\n"
			     "  json: strict\n",
		 "6:1: there is no key \"gatepots\"; did you mean gatepost?\n"},
		{"a service without its name", "service: { org: me }\n" FIXTURE_ANY,
		 "1:10: service: name is missing; allowed: service: NAME\n"},
		{"a service that is a list", "service: [ a ]\n" FIXTURE_ANY,
		 "1:10: service: this is a list; allowed: a text, or a mapping with "
		 "name\n"},
		{"useDotenv is no bool", "useDotenv: maybe\n" FIXTURE_ANY,
		 "1:12: useDotenv: \"maybe\"; allowed: true or false\n"},
	};
	return cr_make_param_array(struct fixture_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct fixture_row *row, config_read, refuses)
{
	fixture_check(row);
}

static void check_route(const struct fixture *b, const char *key, const char *function,
			bool two_way, int line)
{
	const struct config_route *r = fixture_route(b, key);

	cr_assert(ne(ptr, (void *)r, NULL), "%s", key);
	cr_expect(eq(str, b->config->functions[r->function].name, (char *)function), "%s",
		  key);
	cr_expect(eq(int, r->two_way, two_way), "%s", key);
	cr_expect(eq(int, r->line, line), "%s", key);
}

static void check_http(const struct config *c, size_t i, const char *method,
		       const char *path, const char *function, bool is_v2)
{
	cr_assert(lt(sz, i, c->n_http));
	cr_expect(eq(str, c->http[i].method, (char *)method));
	cr_expect(eq(str, c->http[i].path, (char *)path));
	cr_expect(eq(str, c->functions[c->http[i].function].name, (char *)function));
	cr_expect(eq(int, c->http[i].is_v2, is_v2));
}

Test(config_read, reads_the_chat_of_the_tutorials)
{
	struct fixture b = {0};

	fixture_open(&b, "chat.yml");
	cr_assert(eq(str, b.errors, ""));
	cr_expect(
		eq(str, b.infos, "chat.yml:8:3: provider: ignored: websocketsApiName\n"));
	cr_expect(eq(str, b.config->service, "simple-websocket-chat"));
	cr_expect(eq(str, b.config->stage, "dev"));
	cr_expect(eq(str, b.config->region, "eu-west-1"));
	cr_expect(eq(str, b.config->selection, "$request.body.action"));
	cr_expect(eq(sz, b.config->n_functions, 4));
	cr_expect(eq(sz, b.config->n_routes, 4));
	check_route(&b, "$connect", "connect", false, 19);
	check_route(&b, "$disconnect", "disconnect", false, 23);
	check_route(&b, "sendmessage", "sendMessage", true, 32);
	check_route(&b, "$default", "default", false, 37);
	fixture_close(&b);
}

Test(config_read, gives_a_function_what_the_provider_says_unless_it_says_otherwise)
{
	struct fixture b = {0};

	fixture_open(&b, "chat.yml");
	const struct config_function *connect = fixture_function(&b, "connect");
	const struct config_function *send = fixture_function(&b, "sendMessage");
	cr_expect(eq(int, connect->sort, CONFIG_LAMBDA));
	cr_expect(eq(str, connect->handler, "src/onconnect.handler"));
	cr_expect(eq(str, connect->runtime, "nodejs18.x"));
	cr_expect(eq(i64, connect->timeout_ms, 6000));
	cr_expect(eq(i64, connect->memory_mb, 1024));
	cr_expect(eq(i64, connect->workers, 2));
	cr_expect(eq(i64, send->timeout_ms, 10000));
	cr_expect(eq(i64, send->memory_mb, 256));
	cr_expect(eq(str, (char *)fixture_variable(&b, "connect", "TABLE_NAME"),
		     "connections"));
	cr_expect(eq(str, (char *)fixture_variable(&b, "sendMessage", "TABLE_NAME"),
		     "messages"));
	cr_expect(eq(str, (char *)fixture_variable(&b, "sendMessage", "PORT"), "8000"));
	fixture_close(&b);
}

Test(config_read, reads_a_function_that_is_an_authorizer)
{
	struct fixture b = {0};

	fixture_open(&b, "authorizer.yml");
	cr_assert(eq(str, b.errors, ""));
	cr_assert(eq(sz, b.config->n_authorizers, 1));
	const struct config_authorizer *a = &b.config->authorizers[0];
	cr_expect(eq(str, a->name, "auth"));
	cr_expect(eq(int, a->sort, CONFIG_REQUEST));
	cr_expect(eq(str, b.config->functions[a->function].handler, "auth.handler"));
	cr_assert(eq(sz, a->n_identity, 2));
	cr_expect(eq(str, a->identity[0], "route.request.header.Authorization"));
	cr_expect(eq(str, a->identity[1], "route.request.querystring.token"));
	cr_expect(eq(int, fixture_route(&b, "$connect")->authorizer, 0));
	cr_expect(eq(int, fixture_route(&b, "$disconnect")->authorizer, CONFIG_NONE));
	fixture_close(&b);
}

Test(config_read, reads_http_and_websocket_of_one_service)
{
	struct fixture b = {0};

	fixture_open(&b, "both.yml");
	cr_assert(eq(str, b.errors, ""));
	cr_expect(eq(str, b.config->service, "both"));
	cr_assert(eq(sz, b.config->n_http, 6));
	check_http(b.config, 0, "GET", "/ping", "ping", false);
	check_http(b.config, 1, "POST", "/items/{id}", "ping", false);
	check_http(b.config, 2, "GET", "/files/{path+}", "files", true);
	check_http(b.config, 3, "PUT", "/files", "files", true);
	check_http(b.config, 4, "*", "/", "files", true);
	check_http(b.config, 5, "*", "/{proxy+}", "files", true);
	fixture_close(&b);
}

Test(config_read, ignores_what_does_not_concern_us_with_one_line_each)
{
	struct fixture b = {0};

	fixture_open(&b, "cloud.yml");
	cr_assert(eq(str, b.errors, ""));
	cr_expect(eq(
		str, b.infos,
		"cloud.yml:34:7: provider.environment.ENDPOINT: left out: Fn::Join is "
		"for "
		"CloudFormation, which is not asked here\n"
		"cloud.yml:3:1: frameworkVersion: ignored\n"
		"cloud.yml:5:1: plugins: ignored\n"
		"cloud.yml:8:1: custom: ignored, except for variables and "
		"custom.gatepost\n"
		"cloud.yml:12:1: package: ignored\n"
		"cloud.yml:14:1: x-defaults: ignored (it is not known)\n"
		"cloud.yml:54:1: resources: ignored, except for tables\n"
		"cloud.yml:50:9: functions.broadcast.events[1]: ignored: stream\n"
		"cloud.yml:53:9: functions.broadcast.events[2]: ignored: schedule\n"
		"cloud.yml:40:5: functions.connect: ignored: role, tags\n"
		"cloud.yml:45:5: functions.broadcast: timeout is 60 s, but the gateway "
		"waits 29 s at most; gatepost.maxTimeout allows more\n"));
	cr_expect(eq(str, (char *)fixture_variable(&b, "connect", "TABLE"),
		     "cloud-dev-connections"));
	cr_expect(eq(str, (char *)fixture_variable(&b, "connect", "ARN"),
		     "arn:aws:s3:::${AWS::AccountId}-bucket"));
	cr_expect(eq(str, (char *)fixture_variable(&b, "connect", "TABLE_REF"),
		     "cloud-dev-connections"));
	fixture_close(&b);
}

Test(config_read, reads_other_files_for_another_stage)
{
	struct fixture dev = {0}, prod = {.options.stage = "prod"};

	fixture_open(&dev, "stages/serverless.yml");
	fixture_open(&prod, "stages/serverless.yml");
	cr_assert(eq(str, dev.errors, ""));
	cr_assert(eq(str, prod.errors, ""));
	cr_expect(eq(str, dev.config->stage, "dev"));
	cr_expect(eq(str, dev.config->region, "us-west-2"));
	cr_expect(eq(str, fixture_function(&dev, "chat")->runtime, "python3.11"));
	cr_expect(eq(i64, fixture_function(&dev, "chat")->workers, 2));
	cr_expect(eq(str, fixture_function(&dev, "ping")->handler,
		     "http://10.0.0.1:9000/ping"));
	cr_expect(eq(i64, fixture_function(&dev, "ping")->timeout_ms, 3000));
	cr_expect(eq(str, (char *)fixture_variable(&dev, "chat", "NAME"), "staged-dev"));
	cr_expect(eq(str, prod.config->stage, "prod"));
	cr_expect(eq(str, prod.config->region, "eu-central-1"));
	cr_expect(eq(str, fixture_function(&prod, "chat")->runtime, "python3.12"));
	cr_expect(eq(i64, fixture_function(&prod, "chat")->workers, 8));
	cr_expect(eq(str, fixture_function(&prod, "ping")->handler,
		     "http://10.0.0.9:9000/ping"));
	cr_expect(eq(i64, fixture_function(&prod, "ping")->timeout_ms, 6000));
	cr_expect(eq(str, (char *)fixture_variable(&prod, "chat", "KEY"),
		     "a key\nof two lines"));
	fixture_close(&dev);
	fixture_close(&prod);
}

Test(config_read, reads_what_is_ours)
{
	struct fixture b = {0};

	fixture_open(&b, "ours.yml");
	cr_assert(eq(str, b.errors, ""));
	cr_expect(b.config->lenient_json && b.config->context && b.config->binary);
	cr_expect(fixture_route(&b, "say")->parallel &&
		  fixture_route(&b, "say")->two_way);
	cr_expect(not(fixture_route(&b, "$default")->parallel));
	cr_expect(eq(int, fixture_function(&b, "web")->sort, CONFIG_HTTP));
	cr_expect(eq(i64, fixture_function(&b, "web")->timeout_ms, 100000));
	cr_expect(eq(int, fixture_function(&b, "rooms")->sort, CONFIG_BUILTIN));
	const struct config_authorizer *a = &b.config->authorizers[0];
	cr_expect(eq(int, fixture_route(&b, "$connect")->authorizer, 0));
	cr_expect(eq(int, a->sort, CONFIG_JWT));
	cr_expect(eq(str, a->algorithm, "HS256"));
	cr_expect(eq(str, a->key, "0123456789abcdef0123456789abcdef"));
	cr_expect(eq(ptr, a->key_file, NULL));
	cr_expect(eq(str, a->issuer, "https://id.example.org/"));
	cr_expect(eq(str, a->audience, "chat"));
	cr_expect(a->endless);
	cr_expect(eq(sz, a->n_identity, 2));
	fixture_close(&b);
}

Test(config_read, says_all_mistakes_of_a_file_at_once)
{
	struct fixture b = {0};

	fixture_read(&b, "provider: { timeout: soon }\n" FIXTURE_EVENT
			 "      - websocket: { route: a, cors: true }\n"
			 "      - http: ping\n");
	cr_assert(
		eq(str, b.errors,
		   "1:22: provider.timeout: \"soon\"; allowed: 1 to 900 seconds\n"
		   "6:32: functions.f.events[0].websocket: there is no key \"cors\"; "
		   "allowed: "
		   "route, routeResponseSelectionExpression, authorizer, concurrency\n"
		   "7:15: functions.f.events[1].http: \"ping\"; allowed: METHOD path\n"));
	fixture_close(&b);
}

Test(config_read, says_that_there_is_no_such_file)
{
	struct fixture b = {0};

	fixture_open(&b, "none.yml");
	cr_assert(eq(str, b.errors, "none.yml: there is no such file\n"));
	fixture_close(&b);
}

Test(config_read, takes_the_name_of_the_folder_for_a_service_without_one)
{
	struct fixture b = {0};

	fixture_read(&b, FIXTURE_ANY);
	cr_assert(eq(str, b.config->service, strrchr(b.folder, '/') + 1));
	fixture_close(&b);
}
