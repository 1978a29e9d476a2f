#include "edge/client/command.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

TestSuite(command, .init = fixture_init, .fini = fixture_stop, .timeout = 30);

static int push(const struct client *k, const char *text)
{
	Gatepost__Command m = GATEPOST__COMMAND__INIT;
	Gatepost__Frame f = GATEPOST__FRAME__INIT;
	size_t before = fixture.outcomes;

	f.body = (ProtobufCBinaryData){.len = strlen(text),
				       .data = (uint8_t *)(uintptr_t)text};
	m.kind = GATEPOST__COMMAND__KIND__SEND;
	m.frame = &f;
	client_command(k, &m);
	cr_assert(eq(sz, fixture.outcomes, before + 1));
	return (int)fixture.outcome;
}

static int order(const struct client *k, Gatepost__Command__Kind kind)
{
	Gatepost__Command m = GATEPOST__COMMAND__INIT;

	m.kind = kind;
	m.code = 4003;
	client_command(k, &m);
	return (int)fixture.outcome;
}

Test(command, a_push_is_one_frame_for_an_open_client)
{
	struct client *k = client_open();

	cr_assert(eq(int, push(k, "hi"), GATEPOST__OUTCOME__RESULT__OK));
	cr_assert(eq(str, (char *)client_read(k, NULL), "\x81\x02hi"));
}

Test(command, for_a_client_that_has_gone_or_is_none_is_gone)
{
	struct client *gone = client_open(), *plain = client_new();
	struct client nobody = {.fd = -1, .id = id_make(NUMBER, 40, 1)};

	client_close(gone);
	client_send_text(plain, GET);
	cr_assert(eq(int, push(gone, "hi"), GATEPOST__OUTCOME__RESULT__GONE));
	cr_assert(eq(int, push(plain, "hi"), GATEPOST__OUTCOME__RESULT__GONE));
	cr_assert(eq(int, push(&nobody, "hi"), GATEPOST__OUTCOME__RESULT__GONE));
}

Test(command, pushes_before_the_101_follow_it_and_those_over_the_limit_are_refused)
{
	struct client *k = client_new();
	const char *in;

	client_send_text(k, UPGRADE);
	cr_assert(eq(int, push(k, "one"), GATEPOST__OUTCOME__RESULT__OK));
	cr_assert(eq(int, push(k, "two"), GATEPOST__OUTCOME__RESULT__OK));
	cr_assert(eq(int, push(k, "three"), GATEPOST__OUTCOME__RESULT__FULL));
	client_answer_status(k, 200);
	in = strstr(client_read(k, NULL), "\r\n\r\n");
	cr_assert(eq(str, (char *)in, "\r\n\r\n\x81\x03one\x81\x03two"));
	cr_assert(eq(i64, fixture_metric("gatepost_edge_shed_total", NULL), 1));
}

Test(command, pushes_before_a_refusal_are_forgotten)
{
	struct client *k = client_new();

	client_send_text(k, UPGRADE);
	push(k, "one");
	client_answer_status(k, 403);
	cr_assert(strstr(client_read(k, NULL), "one") == NULL);
}

Test(command, a_push_to_a_full_outbox_is_full)
{
	struct client *k = client_open();
	static char large[60000];
	int result = GATEPOST__OUTCOME__RESULT__OK;

	memset(large, 'x', sizeof large - 1);
	for (int i = 0; i < 100 && result == GATEPOST__OUTCOME__RESULT__OK; i++)
		result = push(k, large);
	cr_assert(eq(int, result, GATEPOST__OUTCOME__RESULT__FULL));
}

Test(command, while_all_outboxes_hold_too_much_only_a_small_one_takes_more)
{
	struct client *k = client_open();

	fixture.clients->outbox_bytes += 2000000;
	cr_assert(eq(int, push(k, "hi"), GATEPOST__OUTCOME__RESULT__OK));
	connection_push(client_connection(k), blob_alloc(20000));
	cr_assert(not(connection_can_queue(client_connection(k))));
	fixture.clients->outbox_bytes -= 2000000;
}

Test(command, a_close_is_a_close_frame_and_a_disconnect_with_its_code)
{
	struct client *k = client_open();

	cr_assert(eq(int, order(k, GATEPOST__COMMAND__KIND__CLOSE),
		     GATEPOST__OUTCOME__RESULT__OK));
	cr_assert(eq(int, memcmp(client_read(k, NULL), "\x88\x02\x0f\xa3", 4), 0));
	cr_assert(eq(u16, client_event(k)->code, 4003));
	cr_assert(eq(int, order(k, GATEPOST__COMMAND__KIND__CLOSE),
		     GATEPOST__OUTCOME__RESULT__GONE));
}

Test(command, a_look_finds_open_connections_alone)
{
	struct client *k = client_open(), *asked = client_new();

	client_send_text(asked, UPGRADE);
	cr_assert(eq(int, order(k, GATEPOST__COMMAND__KIND__LOOK),
		     GATEPOST__OUTCOME__RESULT__OK));
	cr_assert(eq(int, order(asked, GATEPOST__COMMAND__KIND__LOOK),
		     GATEPOST__OUTCOME__RESULT__GONE));
}

/* ---- for many ids ---- */

/* The ids of these, side by side. */
static ProtobufCBinaryData ids_of(struct client *const *list, size_t n)
{
	static uint8_t ids[MOST * ID_BYTES];

	for (size_t i = 0; i < n; i++) {
		const struct connection *c = client_connection(list[i]);

		memcpy(ids + i * ID_BYTES, c != NULL ? c->lane.id.b : list[i]->id.b,
		       ID_BYTES);
	}
	return (ProtobufCBinaryData){n * ID_BYTES, ids};
}

static void command_many(Gatepost__Command__Kind kind, struct client *const *list,
			 size_t n, Gatepost__Frame *f)
{
	Gatepost__Command m = GATEPOST__COMMAND__INIT;
	size_t before = fixture.outcomes;

	m.kind = kind;
	m.frame = f;
	m.ids = ids_of(list, n);
	client_command(list[0], &m);
	cr_assert(eq(sz, fixture.outcomes, before + 1), "one outcome for all");
	cr_assert(eq(int, fixture.outcome, GATEPOST__OUTCOME__RESULT__OK));
	cr_assert(eq(sz, fixture.n_results, n));
}

static void push_many(struct client *const *list, size_t n, const char *text)
{
	Gatepost__Frame f = GATEPOST__FRAME__INIT;

	f.body = (ProtobufCBinaryData){.len = strlen(text),
				       .data = (uint8_t *)(uintptr_t)text};
	command_many(GATEPOST__COMMAND__KIND__SEND, list, n, &f);
}

Test(command, a_push_to_many_is_a_frame_for_each_and_a_result_for_each_in_their_order)
{
	struct client *gone = client_open(), *one = client_open(), *two = client_open(),
		      *full = client_open();
	struct client *list[] = {one, gone, full, two};

	client_close(gone);
	connection_push(client_connection(full), blob_alloc(70000));
	push_many(list, 4, "hi");
	cr_assert(eq(u8, fixture.results[0], GATEPOST__OUTCOME__RESULT__OK));
	cr_assert(eq(u8, fixture.results[1], GATEPOST__OUTCOME__RESULT__GONE));
	cr_assert(eq(u8, fixture.results[2], GATEPOST__OUTCOME__RESULT__FULL));
	cr_assert(eq(u8, fixture.results[3], GATEPOST__OUTCOME__RESULT__OK));
	cr_assert(eq(str, (char *)client_read(one, NULL), "\x81\x02hi"));
	cr_assert(eq(str, (char *)client_read(two, NULL), "\x81\x02hi"));
	cr_assert(eq(i64, fixture_metric("gatepost_edge_shed_total", NULL), 1));
}

Test(command, a_push_to_the_same_id_twice_is_two_frames)
{
	struct client *k = client_open();
	struct client *list[] = {k, k};

	push_many(list, 2, "hi");
	cr_assert(eq(str, (char *)client_read(k, NULL), "\x81\x02hi\x81\x02hi"));
}

Test(command, a_push_to_many_waits_for_the_101_of_those_that_have_none_yet)
{
	struct client *asked = client_new(), *open = client_open();
	struct client *list[] = {asked, open};
	const char *in;

	client_send_text(asked, UPGRADE);
	push_many(list, 2, "hi");
	cr_assert(eq(u8, fixture.results[0], GATEPOST__OUTCOME__RESULT__OK));
	cr_assert(eq(str, (char *)client_read(asked, NULL), ""));
	cr_assert(eq(str, (char *)client_read(open, NULL), "\x81\x02hi"));
	client_answer_status(asked, 200);
	in = strstr(client_read(asked, NULL), "\r\n\r\n");
	cr_assert(eq(str, (char *)in, "\r\n\r\n\x81\x02hi"));
}

Test(command, known_are_the_ids_of_connections_and_of_those_with_an_unanswered_event)
{
	struct client *open = client_open(), *asked = client_new(),
		      *leaving = client_open(), *gone = client_open();
	struct client nobody = {.fd = -1, .id = id_make(NUMBER, 40, 1)};
	struct client *list[] = {open, asked, leaving, gone, &nobody};

	client_send_text(asked, UPGRADE);
	client_close(leaving); /* its disconnect is not answered */
	client_close(gone);
	client_answer(gone, NULL);
	command_many(GATEPOST__COMMAND__KIND__KNOW, list, 5, NULL);
	for (size_t i = 0; i < 3; i++)
		cr_assert(eq(u8, fixture.results[i], GATEPOST__OUTCOME__RESULT__OK),
			  "%zu", i);
	cr_assert(eq(u8, fixture.results[3], GATEPOST__OUTCOME__RESULT__GONE));
	cr_assert(eq(u8, fixture.results[4], GATEPOST__OUTCOME__RESULT__GONE));
	cr_assert(eq(str, (char *)client_read(open, NULL), ""));
}

static void subscribe_as(const struct client *k, const char *channel, const char *member)
{
	Gatepost__Command m = GATEPOST__COMMAND__INIT;
	Gatepost__Subscription s = GATEPOST__SUBSCRIPTION__INIT;

	s.channel = (ProtobufCBinaryData){strlen(channel), (uint8_t *)(uintptr_t)channel};
	s.member = (ProtobufCBinaryData){strlen(member), (uint8_t *)(uintptr_t)member};
	m.kind = GATEPOST__COMMAND__KIND__SUBSCRIBE;
	m.subscription = &s;
	client_command(k, &m);
}

Test(command,
     with_a_channel_those_are_known_that_take_part_in_its_presence_pending_or_live)
{
	struct client *pending = client_open(), *bare = client_open(),
		      *elsewhere = client_open(), *none = client_open(),
		      *leaving = client_open();
	struct client *list[] = {pending, bare, elsewhere, none, leaving};
	Gatepost__Command m = GATEPOST__COMMAND__INIT;

	subscribe_as(pending, "room:1", "{}");
	subscribe_as(bare, "room:1", "");
	subscribe_as(elsewhere, "room:2", "{}");
	subscribe_as(leaving, "room:1", "{}");
	client_close(leaving);
	m.kind = GATEPOST__COMMAND__KIND__KNOW;
	m.ids = ids_of(list, 5);
	m.channel = (ProtobufCBinaryData){6, (uint8_t *)(uintptr_t) "room:1"};
	client_command(pending, &m);
	cr_assert(eq(sz, fixture.n_results, 5));
	cr_assert(eq(u8, fixture.results[0], GATEPOST__OUTCOME__RESULT__OK));
	for (size_t i = 1; i < 5; i++)
		cr_assert(eq(u8, fixture.results[i], GATEPOST__OUTCOME__RESULT__GONE),
			  "%zu", i);
}
