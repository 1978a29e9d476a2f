#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#define KEY                                                                              \
	"AttributeDefinitions: [ { AttributeName: id, AttributeType: S } ], KeySchema: " \
	"[ { AttributeName: id, KeyType: HASH } ]"
#define KEY_JSON                                                                         \
	"\"AttributeDefinitions\":[{\"AttributeName\":\"id\",\"AttributeType\":\"S\"}]," \
	"\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}]"

/* A text, and the definition of its only table; empty: it has none. */
struct row {
	char why[72];
	char text[900];
	char want[700];
};

ParameterizedTestParameters(tables, are_read)
{
	static struct row rows[] = {
		{"all that counts, and nothing of what is billed",
		 "resources:\n"
		 "  Resources:\n"
		 "    Rooms:\n"
		 "      Type: AWS::DynamoDB::Table\n"
		 "      DeletionPolicy: Retain\n"
		 "      Properties:\n"
		 "        TableName: rooms\n"
		 "        BillingMode: PAY_PER_REQUEST\n"
		 "        AttributeDefinitions: [ { AttributeName: id, AttributeType: S "
		 "} "
		 "]\n"
		 "        KeySchema: [ { AttributeName: id, KeyType: HASH } ]\n"
		 "        GlobalSecondaryIndexes:\n"
		 "          - IndexName: by-room\n"
		 "            KeySchema: [ { AttributeName: room, KeyType: HASH } ]\n"
		 "            Projection: { ProjectionType: ALL }\n"
		 "            ProvisionedThroughput: { ReadCapacityUnits: !Ref Units }\n"
		 "        TimeToLiveSpecification: { AttributeName: ttl, Enabled: true "
		 "}\n"
		 "        Tags: [ { Key: a, Value: b } ]\n",
		 "{\"TableName\":\"rooms\"," KEY_JSON
		 ",\"GlobalSecondaryIndexes\":[{\"IndexName\":\"by-room\",\"KeySchema\":["
		 "{"
		 "\"AttributeName\":\"room\",\"KeyType\":\"HASH\"}],\"Projection\":{"
		 "\"ProjectionType\":\"ALL\"}}],\"TimeToLiveSpecification\":{"
		 "\"AttributeName\":\"ttl\",\"Enabled\":true}}"},
		{"a name of variables",
		 "service: chat\nresources: { Resources: { T: { Type: "
		 "AWS::DynamoDB::Table, Properties: { TableName: "
		 "'${self:service}-${sls:stage}', " KEY " } } } }\n",
		 "{\"TableName\":\"chat-dev\"," KEY_JSON "}"},
		{"a name by Fn::Sub, with variables in it",
		 "service: chat\nresources: { Resources: { T: { Type: "
		 "AWS::DynamoDB::Table, Properties: { TableName: "
		 "!Sub '${self:service}-${AWS::Region}', " KEY " } } } }\n",
		 "{\"TableName\":\"chat-us-east-1\"," KEY_JSON "}"},
		{"a name that is a parameter's default",
		 "resources: { Parameters: { N: { Type: String, Default: rows } }, "
		 "Resources: { T: { Type: AWS::DynamoDB::Table, Properties: { "
		 "TableName: { Ref: N }, " KEY " } } } }\n",
		 "{\"TableName\":\"rows\"," KEY_JSON "}"},
		{"no name: as a stack would call it",
		 "service: chat\nresources: { Resources: { T: { Type: "
		 "AWS::DynamoDB::Table, Properties: { " KEY " } } } }\n",
		 "{\"TableName\":\"chat-dev-T\"," KEY_JSON "}"},
		{"a list of parts",
		 "resources:\n  - Outputs: {}\n  - Resources: { T: { Type: "
		 "AWS::DynamoDB::Table, Properties: { TableName: t, " KEY " } } }\n",
		 "{\"TableName\":\"t\"," KEY_JSON "}"},
		{"SAM's simple table",
		 "resources: { Resources: { T: { Type: AWS::Serverless::SimpleTable, "
		 "Properties: { TableName: simple } } } }\n",
		 "{\"TableName\":\"simple\"," KEY_JSON "}"},
		{"SAM's simple table with a key of its own",
		 "resources: { Resources: { T: { Type: AWS::Serverless::SimpleTable, "
		 "Properties: { TableName: simple, PrimaryKey: { Name: n, Type: Number } "
		 "} } } }\n",
		 "{\"TableName\":\"simple\",\"AttributeDefinitions\":[{\"AttributeName\":"
		 "\"n\",\"AttributeType\":\"N\"}],\"KeySchema\":[{\"AttributeName\":"
		 "\"n\",\"KeyType\":\"HASH\"}]}"},
		{"other resources, whatever is in them",
		 "resources: { Resources: { Q: { Type: AWS::SQS::Queue, Properties: { "
		 "QueueName: '${ssm:/a}', X: !If [a, b, c] } } } }\n",
		 ""},
		{"a name that nobody knows here: left out",
		 "resources: { Resources: { T: { Type: AWS::DynamoDB::Table, Properties: "
		 "{ TableName: !ImportValue x, " KEY " } } } }\n",
		 ""},
		{"a name that names itself: left out",
		 "resources: { Resources: { T: { Type: AWS::DynamoDB::Table, Properties: "
		 "{ TableName: !Ref T, " KEY " } } } }\n",
		 ""},
		{"a file that is a program: ignored, as before",
		 "resources: [ '${file(x.js)}' ]\n", ""},
	};
	return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *row, tables, are_read)
{
	struct fixture b = {0};
	char text[2048];

	snprintf(text, sizeof text, "%s%s", row->text, FIXTURE_ANY);
	fixture_read(&b, text);
	cr_assert(eq(str, b.errors, ""), "%s", row->why);
	cr_assert(eq(sz, b.config->n_tables, row->want[0] != '\0'), "%s", row->why);
	if (row->want[0])
		cr_expect(eq(str, b.config->tables[0].definition, row->want), "%s",
			  row->why);
	fixture_close(&b);
}

Test(tables, of_a_file_are_read)
{
	struct fixture b = {0};

	fixture_file(
		&b, "tables.yml",
		"Resources:\n  T:\n    Type: AWS::DynamoDB::Table\n    Properties: { "
		"TableName: 'of-${sls:stage}', " KEY " }\n");
	fixture_read(&b, "resources:\n  - ${file(tables.yml)}\n" FIXTURE_ANY);
	cr_assert(eq(str, b.errors, ""));
	cr_assert(eq(sz, b.config->n_tables, 1));
	cr_expect(eq(str, b.config->tables[0].name, "of-dev"));
	fixture_close(&b);
}

Test(tables, of_one_name_are_refused)
{
	struct fixture b = {0};

	fixture_read(
		&b,
		"resources:\n  Resources:\n"
		"    A: { Type: AWS::DynamoDB::Table, Properties: { TableName: t, " KEY
		" } }\n"
		"    B: { Type: AWS::DynamoDB::Table, Properties: { TableName: t, " KEY
		" } }\n" FIXTURE_ANY);
	cr_expect(eq(str, b.errors,
		     "4:8: resources.Resources.B: there are two tables of the name "
		     "\"t\"\n"));
	fixture_close(&b);
}

Test(tables, without_statements_are_everybodys_and_a_line_says_so)
{
	struct fixture b = {0};

	fixture_read(&b, "resources: { Resources: { T: { Type: AWS::DynamoDB::Table, "
			 "Properties: { TableName: t, " KEY " } } } }\n" FIXTURE_ANY);
	cr_assert(eq(str, b.errors, ""));
	cr_expect(eq(str, b.infos,
		     "1:1: resources: ignored, except for tables\n"
		     "1:30: resources.Resources.T: functions may do everything with "
		     "tables: no statement of provider.iam is about dynamodb\n"));
	fixture_close(&b);
}
