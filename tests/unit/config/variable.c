#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ParameterizedTestParameters(variable, refuses)
{
	static struct fixture_row rows[] = {
		{"a variable that is not there",
		 "service: ${self:custom.none}\n" FIXTURE_ANY,
		 "1:10: service: \"${self:custom.none}\" cannot be resolved: there is no "
		 "\"custom\" (of custom.none); give it, or a default after a comma\n"},
		{"a variable of the environment",
		 "service: ${env:GATEPOST_TEST_NONE}\n" FIXTURE_ANY,
		 "1:10: service: \"${env:GATEPOST_TEST_NONE}\" cannot be resolved: "
		 "GATEPOST_TEST_NONE is not in the environment; give it, or a default "
		 "after a comma\n"},
		{"an option that was not given", "service: ${opt:none}\n" FIXTURE_ANY,
		 "1:10: service: \"${opt:none}\" cannot be resolved: the option none was "
		 "not given; give it, or a default after a comma\n"},
		{"a source of AWS's", "service: ${ssm:/a/b}\n" FIXTURE_ANY,
		 "1:10: service: \"${ssm:/a/b}\" cannot be resolved: ssm cannot be asked "
		 "here; give it, or a default after a comma\n"},
		{"CloudFormation's outputs", "service: ${cf:stack.output}\n" FIXTURE_ANY,
		 "1:10: service: \"${cf:stack.output}\" cannot be resolved: cf cannot be "
		 "asked here; give it, or a default after a comma\n"},
		{"a variable of its own value", "service: ${self:service}\n" FIXTURE_ANY,
		 "1:10: service: \"${self:service}\": the variable names itself, by way "
		 "of others\n"},
		{"a circle of two",
		 "service: ${self:custom.a}\n" FIXTURE_ANY "custom:\n"
		 "  a: ${self:custom.b}\n"
		 "  b: ${self:custom.a}\n",
		 "8:6: service: \"${self:custom.b}\": the variable names itself, by way "
		 "of others\n"},
		{"a variable without an end", "service: ${self:custom.a\n" FIXTURE_ANY,
		 "1:10: service: \"${self:custom.a\": a variable has no closing }\n"},
		{"a parenthesis without an end", "service: ${file(a.yml}\n" FIXTURE_ANY,
		 "1:10: service: \"${file(a.yml}\": a variable has no closing }\n"},
		{"a source that is none",
		 "service: ${self:none, what is this}\n" FIXTURE_ANY,
		 "1:10: service: \"${self:none, what is this}\": no source that there "
		 "is; allowed: name:address, name(text), 'text', and a default after a "
		 "comma\n"},
		{"a mapping in the middle of a text",
		 "service: a-${self:custom}\n" FIXTURE_ANY "custom: { a: b }\n",
		 "1:10: service: \"a-${self:custom}\": a list, a mapping or a tag cannot "
		 "stand inside of a text\n"},
		{"a tag in the middle of a text",
		 "service: a-${self:custom.a}\n" FIXTURE_ANY "custom: { a: !Ref b }\n",
		 "1:10: service: \"a-${self:custom.a}\": a list, a mapping or a tag "
		 "cannot stand inside of a text\n"},
		{"a mapping in an address",
		 "service: ${self:custom.${self:custom}}\n" FIXTURE_ANY
		 "custom: { a: b }\n",
		 "1:10: service: \"${self:custom.${self:custom}}\": a list, a mapping or "
		 "a tag cannot stand inside of a text\n"},
		{"a file that is not there",
		 "service: ${file(./none.yml):a}\n" FIXTURE_ANY,
		 "1:10: service: \"${file(./none.yml):a}\" cannot be resolved: there is "
		 "no file none.yml; give it, or a default after a comma\n"},
		{"a file that is code", "service: ${file(./code.js):a}\n" FIXTURE_ANY,
		 "1:10: service: \"${file(./code.js):a}\" cannot be resolved: code.js: "
		 "only YAML, JSON and text files are read; give it, or a default after a "
		 "comma\n"},
		{"a file that cannot be read",
		 "service: ${file(/dev/null):a}\n" FIXTURE_ANY,
		 "1:10: service: /dev/null is not a regular file\n"},
		{"strToBool of something else",
		 "useDotenv: ${strToBool(perhaps)}\n" FIXTURE_ANY,
		 "1:12: useDotenv: strToBool(perhaps): allowed: true, false, 1, 0\n"},
		{"another sls:", "service: ${sls:name}\n" FIXTURE_ANY,
		 "1:10: service: \"${sls:name}\" cannot be resolved: there is no "
		 "sls:name, only sls:stage and sls:instanceId; give it, or a default "
		 "after a comma\n"},
		{"a parameter that is not there", "service: ${param:none}\n" FIXTURE_ANY,
		 "1:10: service: \"${param:none}\" cannot be resolved: the parameter "
		 "none is not in params; give it, or a default after a comma\n"},
		{"null, and no default",
		 "service: ${self:custom.a}\n" FIXTURE_ANY "custom: { a: null }\n",
		 "1:10: service: \"${self:custom.a}\" cannot be resolved: self:custom.a "
		 "is null; give it, or a default after a comma\n"},
		{"the last of the defaults",
		 "service: ${env:GATEPOST_TEST_NONE, self:custom.none}\n" FIXTURE_ANY,
		 "1:10: service: \"${env:GATEPOST_TEST_NONE, self:custom.none}\" cannot "
		 "be resolved: there is no \"custom\" (of custom.none); give it, or a "
		 "default after a comma\n"},
	};
	return cr_make_param_array(struct fixture_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct fixture_row *row, variable, refuses)
{
	fixture_check(row);
}

struct row {
	char in[72]; /* the service */
	char want[72];
};

ParameterizedTestParameters(variable, resolves)
{
	static struct row rows[] = {
		{"plain", "plain"},
		{"${self:custom.a}", "A"},
		{"x-${self:custom.a}-${self:custom.b.c}-y", "x-A-C-y"},
		{"${self:custom.list.1}", "second"},
		{"${self:custom.none, 'default'}", "default"},
		{"${self:custom.none, \"a, b\"}", "a, b"},
		{"${self:custom.none, self:custom.null, self:custom.a}", "A"},
		{"${self:custom.none, ${self:custom.a}}", "A"},
		{"${self:custom.${self:custom.name}}", "A"},
		{"${self:custom.${self:custom.none, 'a'}}", "A"},
		{"${self:custom.deep}", "A!"},
		{"${opt:colour}", "blue"},
		{"${opt:stage, 'none'}", "none"},
		{"${sls:stage}", "test"},
		{"${self:provider.stage}", "test"},
		{"${self:provider.region}", "us-east-1"},
		{"${ssm:/a/b, 'default'}", "default"},
		{"${cf(eu-west-1):stack.out, \"default\"}", "default"},
		{"${file(none.yml):a.b, file(data.yml):a.b}", "from a file"},
		{"${file(./data.yml):self}", "A"},
		{"${file(data.json):list.0}", "json"},
		{"${file('data.txt')}", "text"},
		{"${param:p}-${param:q}", "stage-common"},
		{"${strToBool(${self:custom.yes})}", "true"},
		{"${self:custom.none, 5}", "5"},
		{"${self:custom.empty, 'x'}.", "."},
		{"${ self:custom.a }", "A"},
		{"${self:custom.it's, 'x'}", "x"},
		{"\\${self:custom.a}", "${self:custom.a}"},
		{"${AWS::Region}", "${AWS::Region}"},
		{"${Name}", "${Name}"},
		{"$${self:custom.a}$", "$A$"},
		{"${", "${"},
	};
	return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *row, variable, resolves)
{
	struct config_pair colour = {(char *)"colour", (char *)"blue"};
	struct fixture b = {.options = {.opt = &colour, .n_opt = 1}};
	char text[1024], quoted[160] = "", *out = quoted;

	for (const char *p = row->in; *p; p++) { /* single quotes are doubled in YAML */
		*out++ = *p;
		if (*p == '\'')
			*out++ = *p;
	}
	snprintf(text, sizeof text,
		 "service: '%s'\n"
		 "provider: { stage: test }\n"
		 "params: { test: { p: stage }, default: { p: no, q: common } }\n"
		 "custom: { a: A, b: { c: C }, list: [ first, second ], 'null': null, "
		 "name: a,\n"
		 "  deep: '${self:custom.a}!', 'yes': 1, empty: '' }\n" FIXTURE_ANY,
		 quoted);
	fixture_file(&b, "data.yml", "a: { b: from a file }\nself: ${self:custom.a}\n");
	fixture_file(&b, "data.json", "{\"list\": [\"json\"]}");
	fixture_file(&b, "data.txt", "text\n");
	fixture_read(&b, text);
	cr_assert(eq(str, b.errors, ""), "%s", row->in);
	cr_expect(eq(str, b.config->service, row->want), "%s", row->in);
	fixture_close(&b);
}

Test(variable, may_be_a_mapping_or_a_list)
{
	struct fixture b = {0};

	fixture_read(
		&b, "custom:\n"
		    "  events: [ { websocket: '${self:custom.key}' }, { http: GET a } ]\n"
		    "  key: say\n"
		    "functions:\n"
		    "  f: { handler: builtin:echo, events: '${self:custom.events}' }\n");
	cr_assert(eq(str, b.errors, ""));
	cr_expect(ne(ptr, (void *)fixture_route(&b, "say"), NULL));
	cr_expect(eq(sz, b.config->n_http, 1));
	fixture_close(&b);
}

Test(variable, is_left_alone_where_it_does_not_concern_us)
{
	struct fixture b = {0};

	fixture_read(
		&b,
		"custom: { a: '${ssm:/x}', b: '${self:none}', c: '${self:custom.c}' }\n"
		"resources: ${file(none.yml)}\n" FIXTURE_ANY);
	cr_assert(eq(str, b.errors, ""));
	fixture_close(&b);
}

Test(variable, with_a_mistake_in_another_file_names_that_file)
{
	struct fixture b = {0};

	fixture_file(&b, "other.yml", "a:\n  b: [\n");
	fixture_read(&b, "service: ${file(other.yml):a}\n" FIXTURE_ANY);
	cr_assert(
		eq(str, b.errors,
		   "other.yml:3:1: no YAML: flow sequence without a closing bracket\n"));
	fixture_close(&b);
}

/* Each level names the next one twice: 2^30 texts, were they not counted. */
Test(variable, that_doubles_and_doubles_is_refused)
{
	char text[2048] = FIXTURE_ANY "service: ${self:custom.a0}\ncustom:\n";
	struct fixture b = {0};

	for (int i = 0; i < 30; i++)
		sprintf(text + strlen(text),
			"  a%d: ${self:custom.a%d}${self:custom.a%d}\n", i, i + 1, i + 1);
	strcat(text, "  a30: x\n");
	fixture_read(&b, text);
	cr_assert(ne(ptr, strstr(b.errors, "more than 10,000 variables"), NULL), "%s",
		  b.errors);
	fixture_close(&b);
}

Test(variable, that_grows_over_64_KiB_is_refused)
{
	char *text = malloc(1 << 20), *end = text;
	struct fixture b = {0};

	end += sprintf(end, FIXTURE_ANY "custom:\n  a: ");
	memset(end, 'x', 40000);
	sprintf(end + 40000, "\nservice: ${self:custom.a}${self:custom.a}\n");
	fixture_read(&b, text);
	cr_assert(ne(ptr, strstr(b.errors, "a text of more than 64 KiB"), NULL), "%s",
		  b.errors);
	fixture_close(&b);
	free(text);
}
