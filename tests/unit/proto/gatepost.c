/*
 * The bytes of protocol version 3. Edges and brokers of different builds speak it to
 * each other, so a change here is a new LINK_VERSION, and never an accident.
 */
#include "proto/batch.h"
#include "proto/envelope.h"
#include "proto/id.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

static struct batch b;
static struct id id;

static void start(void)
{
	batch_init(&b);
	id = id_make(1, 2, 0x0123456789);
}

static void end(void)
{
	batch_close(&b);
}

TestSuite(gatepost, .init = start, .fini = end);

#define ADD(KIND, kind)                                                                  \
	batch_add(&b, GATEPOST__ITEM__BODY_##KIND, &gatepost__##kind##__descriptor)

static ProtobufCBinaryData bytes(const char *text)
{
	return batch_copy(&b, span_str(text));
}

static ProtobufCBinaryData id_bytes(void)
{
	return batch_copy(&b, id_span(&id));
}

static char *word(const char *text)
{
	return (char *)(uintptr_t)text;
}

static void to_hex(zmq_msg_t *m, char *out)
{
	const uint8_t *p = zmq_msg_data(m);

	for (size_t i = 0; i < zmq_msg_size(m); i++)
		sprintf(out + 2 * i, "%02x", p[i]);
	out[2 * zmq_msg_size(m)] = '\0';
}

/* What the batch packs to is want, and the reader takes it. */
static void expect(const char *want)
{
	Gatepost__Envelope head = GATEPOST__ENVELOPE__INIT, *read;
	struct proto_arena arena;
	zmq_msg_t m;
	char got[1024];

	head.version = LINK_VERSION;
	head.taken_items = 3;
	head.taken_bytes = 300;
	batch_pack(&b, &head, &m);
	to_hex(&m, got);
	cr_assert(eq(str, got, word(want)));
	proto_arena_init(&arena);
	cr_assert(eq(
		int,
		envelope_read(span_of(zmq_msg_data(&m), zmq_msg_size(&m)), &arena, &read),
		OK));
	proto_arena_close(&arena);
	zmq_msg_close(&m);
}

Test(gatepost, heartbeat)
{
	expect("0803100318ac02");
}

Test(gatepost, hello)
{
	Gatepost__Hello *h = ADD(HELLO, hello);

	h->name = word("edge-0");
	h->boot = 0xfedcba9876543210;
	h->number = 65535;
	h->credit_items = 8192;
	h->credit_bytes = 1 << 26;
	expect("0803100318ac0222210a1f0a06656467652d301090e4d0b287d3aeeefe0118ff"
	       "ff032080402880808020");
}

Test(gatepost, welcome)
{
	Gatepost__Welcome *w = ADD(WELCOME, welcome);
	Gatepost__Members members = GATEPOST__MEMBERS__INIT;
	Gatepost__Members__Member one = GATEPOST__MEMBERS__MEMBER__INIT, *list = &one;

	one.name = word("broker-0");
	one.boot = 5;
	one.endpoint = word("tcp://10.0.0.7:7400");
	members.members = &list;
	members.n_members = 1;
	w->name = word("broker-0");
	w->boot = 5;
	w->number = 7;
	w->credit_events = 100;
	w->credit_bytes = 1000;
	w->members = &members;
	expect("0803100318ac02223a12380a0862726f6b65722d3010051807206428e8073223"
	       "0a210a0862726f6b65722d3010051a137463703a2f2f31302e302e302e373a37"
	       "343030");
}

Test(gatepost, refusal)
{
	Gatepost__Refusal *r = ADD(REFUSAL, refusal);

	r->version = 1;
	r->reason = word("say Hello first");
	expect("0803100318ac0222151a130801120f7361792048656c6c6f206669727374");
}

Test(gatepost, members)
{
	Gatepost__Members *m = ADD(MEMBERS, members);
	Gatepost__Members__Member one = GATEPOST__MEMBERS__MEMBER__INIT,
				  two = GATEPOST__MEMBERS__MEMBER__INIT;
	Gatepost__Members__Member *list[] = {&one, &two};

	one.name = word("a");
	one.boot = 1;
	one.endpoint = word("ipc:///a");
	two.name = word("b");
	two.boot = 2;
	two.endpoint = word("ipc:///b");
	m->members = list;
	m->n_members = 2;
	expect("0803100318ac02222422220a0f0a016110011a086970633a2f2f2f610a0f0a01"
	       "6210021a086970633a2f2f2f62");
}

Test(gatepost, resync)
{
	Gatepost__Resync *r = ADD(RESYNC, resync);

	r->ticket = 300;
	expect("0803100318ac0222052a0308ac02");
}

Test(gatepost, roster)
{
	Gatepost__Roster *r = ADD(ROSTER, roster);
	Gatepost__Roster__Row row = GATEPOST__ROSTER__ROW__INIT, *list = &row;

	row.id = id_bytes();
	row.context = bytes("ctx");
	r->rows = &list;
	r->n_rows = 1;
	r->ticket = 300;
	r->last = true;
	expect("0803100318ac02221b32190a120a0b0001000000020123456789120363747810"
	       "ac021801");
}

Test(gatepost, leaving)
{
	ADD(LEAVING, leaving);
	expect("0803100318ac0222023a00");
}

Test(gatepost, store)
{
	Gatepost__Store *m = ADD(STORE, store);

	m->away = true;
	expect("0803100318ac02220442020801");
}

Test(gatepost, event_connect)
{
	Gatepost__Event *e = ADD(EVENT, event);

	e->id = id_bytes();
	e->term = 1;
	e->kind = GATEPOST__EVENT__KIND__CONNECT;
	e->time_ms = 1763800000000;
	e->context = bytes("ctx");
	e->request = bytes("req");
	expect("0803100318ac02222452220a0b0001000000020123456789100120012880ccb0"
	       "d5aa3332036374783a03726571");
}

Test(gatepost, event_message)
{
	Gatepost__Event *e = ADD(EVENT, event);

	e->id = id_bytes();
	e->term = 2;
	e->seq = 1;
	e->kind = GATEPOST__EVENT__KIND__MESSAGE;
	e->time_ms = 1763800000001;
	e->context = bytes("ctx");
	e->body = bytes("hello");
	e->binary = true;
	expect("0803100318ac02222a52280a0b00010000000201234567891002180120022881"
	       "ccb0d5aa333203637478420568656c6c6f4801");
}

Test(gatepost, event_disconnect)
{
	Gatepost__Event *e = ADD(EVENT, event);

	e->id = id_bytes();
	e->term = 2;
	e->seq = 300;
	e->kind = GATEPOST__EVENT__KIND__DISCONNECT;
	e->time_ms = -1;
	e->context = bytes("ctx");
	e->code = 1006;
	e->reason = bytes("gone");
	expect("0803100318ac02222f522d0a0b0001000000020123456789100218ac02200328"
	       "ffffffffffffffffff01320363747850ee075a04676f6e65");
}

Test(gatepost, event_http)
{
	Gatepost__Event *e = ADD(EVENT, event);

	e->id = id_bytes();
	e->kind = GATEPOST__EVENT__KIND__HTTP;
	e->request = bytes("req");
	e->body = bytes("posted");
	expect("0803100318ac02221e521c0a0b000100000002012345678920043a0372657142"
	       "06706f73746564");
}

Test(gatepost, answer_with_a_response)
{
	Gatepost__Answer *a = ADD(ANSWER, answer);
	Gatepost__Response response = GATEPOST__RESPONSE__INIT;
	Gatepost__Action action = GATEPOST__ACTION__INIT, *actions = &action;
	Gatepost__Request__Header header = GATEPOST__REQUEST__HEADER__INIT,
				  *list = &header;

	header.name = bytes("Retry-After");
	header.value = bytes("1");
	response.status = 503;
	response.headers = &list;
	response.n_headers = 1;
	response.body = bytes("busy");
	action.body_case = GATEPOST__ACTION__BODY_RESPONSE;
	action.response = &response;
	a->id = id_bytes();
	a->term = 1;
	a->actions = &actions;
	a->n_actions = 1;
	expect("0803100318ac0222305a2e0a0b000100000002012345678910015a1d0a1b08f7"
	       "0312100a0b52657472792d41667465721201311a0462757379");
}

Test(gatepost, answer_with_messages_and_a_close)
{
	Gatepost__Answer *a = ADD(ANSWER, answer);
	Gatepost__Close close = GATEPOST__CLOSE__INIT;
	Gatepost__Action one = GATEPOST__ACTION__INIT, two = one, three = one,
			 *list[] = {&one, &two, &three};

	one.body_case = GATEPOST__ACTION__BODY_TEXT;
	one.text = bytes("PONG!");
	two.body_case = GATEPOST__ACTION__BODY_BINARY;
	two.binary = bytes("bin");
	close.code = 1000;
	close.reason = bytes("bye");
	three.body_case = GATEPOST__ACTION__BODY_CLOSE;
	three.close = &close;
	a->id = id_bytes();
	a->term = 1;
	a->seq = 2;
	a->actions = list;
	a->n_actions = 3;
	expect("0803100318ac02222f5a2d0a0b0001000000020123456789100118025a071205"
	       "504f4e47215a051a0362696e5a0a220808e8071203627965");
}

Test(gatepost, answer_to_try_again)
{
	Gatepost__Answer *a = ADD(ANSWER, answer);

	a->id = id_bytes();
	a->retry = true;
	expect("0803100318ac0222115a0f0a0b00010000000201234567892001");
}

Test(gatepost, command_send)
{
	Gatepost__Command *c = ADD(COMMAND, command);
	Gatepost__Frame frame = GATEPOST__FRAME__INIT;

	frame.body = bytes("news");
	c->ticket = 9;
	c->kind = GATEPOST__COMMAND__KIND__SEND;
	c->id = id_bytes();
	c->frame = &frame;
	expect("0803100318ac02221b6219080910011a0b000100000002012345678922060a04"
	       "6e657773");
}

Test(gatepost, command_send_to_many)
{
	Gatepost__Command *c = ADD(COMMAND, command);
	Gatepost__Frame frame = GATEPOST__FRAME__INIT;

	frame.body = bytes("news");
	c->ticket = 9;
	c->kind = GATEPOST__COMMAND__KIND__SEND;
	c->ids = bytes("eleven bytetwo of them");
	c->frame = &frame;
	expect("0803100318ac02222662240809100122060a046e6577733a16656c6576656e20"
	       "6279746574776f206f66207468656d");
}

Test(gatepost, command_close)
{
	Gatepost__Command *c = ADD(COMMAND, command);

	c->ticket = 10;
	c->kind = GATEPOST__COMMAND__KIND__CLOSE;
	c->id = id_bytes();
	c->code = 1000;
	c->reason = bytes("bye");
	expect("0803100318ac02221b6219080a10021a0b000100000002012345678928e80732"
	       "03627965");
}

Test(gatepost, command_look)
{
	Gatepost__Command *c = ADD(COMMAND, command);

	c->ticket = 11;
	c->kind = GATEPOST__COMMAND__KIND__LOOK;
	c->id = id_bytes();
	expect("0803100318ac0222136211080b10031a0b0001000000020123456789");
}

Test(gatepost, command_know)
{
	Gatepost__Command *c = ADD(COMMAND, command);

	c->ticket = 12;
	c->kind = GATEPOST__COMMAND__KIND__KNOW;
	c->ids = bytes("eleven bytetwo of them");
	expect("0803100318ac02221e621c080c10043a16656c6576656e206279746574776f206f66"
	       "207468656d");
}

Test(gatepost, outcome)
{
	Gatepost__Outcome *o = ADD(OUTCOME, outcome);

	o->ticket = 11;
	o->result = GATEPOST__OUTCOME__RESULT__FULL;
	o->context = bytes("ctx");
	o->last_active_ms = 1763800000002;
	expect("0803100318ac0222126a10080b10031a036374782082ccb0d5aa33");
}

Test(gatepost, outcome_for_many)
{
	Gatepost__Outcome *o = ADD(OUTCOME, outcome);

	o->ticket = 12;
	o->result = GATEPOST__OUTCOME__RESULT__OK;
	o->results = bytes("\x01\x02\x03");
	expect("0803100318ac02220b6a09080c10012a03010203");
}

/* Kept packed at the edge, and read by whichever broker comes next. */
Test(gatepost, context)
{
	Gatepost__Context c = GATEPOST__CONTEXT__INIT;
	zmq_msg_t m;
	char got[256];

	c.connected_at_ms = 1763800000000;
	c.source_ip = bytes("::1");
	c.user_agent = bytes("curl");
	c.domain = bytes("a.example");
	zmq_msg_init_size(&m, gatepost__context__get_packed_size(&c));
	gatepost__context__pack(&c, zmq_msg_data(&m));
	to_hex(&m, got);
	zmq_msg_close(&m);
	cr_assert(eq(str, got,
		     word("0880ccb0d5aa3312033a3a311a046375726c2209612e6578616d706c65")));
}

Test(gatepost, request)
{
	Gatepost__Request r = GATEPOST__REQUEST__INIT;
	Gatepost__Request__Header header = GATEPOST__REQUEST__HEADER__INIT,
				  *list = &header;
	zmq_msg_t m;
	char got[256];

	header.name = bytes("Host");
	header.value = bytes("a.example");
	r.method = bytes("GET");
	r.path = bytes("/dev");
	r.query = bytes("a=1");
	r.headers = &list;
	r.n_headers = 1;
	zmq_msg_init_size(&m, gatepost__request__get_packed_size(&r));
	gatepost__request__pack(&r, zmq_msg_data(&m));
	to_hex(&m, got);
	zmq_msg_close(&m);
	cr_assert(
		eq(str, got,
		   word("0a0347455412042f6465761a03613d3122110a04486f73741209612e6578616d"
			"706c65")));
}
