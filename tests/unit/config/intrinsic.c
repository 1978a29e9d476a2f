#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>

#define TABLE                                                                            \
	"service: chat\n"                                                                \
	"resources:\n"                                                                   \
	"  Parameters: { P: { Type: String, Default: p } }\n"                            \
	"  Resources:\n"                                                                 \
	"    Rooms: { Type: AWS::DynamoDB::Table, Properties: { TableName: rooms } }\n"  \
	"    Queue: { Type: AWS::SQS::Queue }\n"
#define ARN "arn:aws:dynamodb:us-east-1:123456789012:table/rooms"

/* A value of the environment, and what the function gets; "-": it is left out. */
struct row {
	char value[120];
	char want[120];
};

ParameterizedTestParameters(intrinsic, gives)
{
	static struct row rows[] = {
		{"!Ref Rooms", "rooms"},
		{"{ Ref: Rooms }", "rooms"},
		{"!Ref P", "p"},
		{"!Ref Queue", "-"},
		{"!Ref AWS::Region", "us-east-1"},
		{"!Ref AWS::StackName", "chat-dev"},
		{"!GetAtt Rooms.Arn", ARN},
		{"!GetAtt [ Rooms, Arn ]", ARN},
		{"{ Fn::GetAtt: [ Rooms, Arn ] }", ARN},
		{"!GetAtt Rooms.StreamArn", "-"},
		{"!GetAtt Queue.Arn", "-"},
		{"!Sub '${Rooms}-x'", "rooms-x"},
		{"!Sub '${Rooms.Arn}/index/i'", ARN "/index/i"},
		{"!Sub '${AWS::AccountId}.${AWS::Partition}.${AWS::URLSuffix}'",
		 "123456789012.aws.amazonaws.com"},
		{"!Sub '${!Rooms} is ${Rooms}'", "${Rooms} is rooms"},
		{"!Sub '${Queue}'", "-"},
		{"!Sub '${self:service}/${Rooms}'", "chat/rooms"},
		{"!Sub '${Rooms'", "${Rooms"},
		{"{ Fn::Sub: [ '${A}-${Rooms}', { A: a } ] }", "a-rooms"},
		{"!Sub [ '${A}', { A: !GetAtt Rooms.Arn } ]", ARN},
		{"!Join [ '-', [ a, !Ref Rooms, '${self:service}' ] ]", "a-rooms-chat"},
		{"{ Fn::Join: [ '', [ !GetAtt Rooms.Arn, /index/i ] ] }", ARN "/index/i"},
		{"!Join [ '-', [ a, !Ref Queue ] ]", "-"},
		{"!Join [ '-', a ]", "-"},
		{"!Select [ 0, [ a ] ]", "-"},
		{"!ImportValue x", "-"},
	};
	return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *row, intrinsic, gives)
{
	struct fixture b = {0};
	char text[1024];
	const char *got;

	snprintf(text, sizeof text,
		 TABLE "provider: { environment: { V: %s } }\n" FIXTURE_ANY, row->value);
	fixture_read(&b, text);
	cr_assert(eq(str, b.errors, ""), "%s", row->value);
	got = fixture_variable(&b, "f", "V");
	cr_expect(eq(str, (char *)(got ? got : "-"), row->want), "%s", row->value);
	fixture_close(&b);
}
