#include "ws/message.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>

static const struct message_limits limits = {.max_message = 1 << 20,
					     .max_frame = 1 << 20};

/* Bytes as a client would send them. */
struct wire {
	uint8_t p[1 << 16];
	size_t n;
};

static void say(struct wire *w, unsigned op, bool fin, const void *payload, size_t n)
{
	static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
	size_t head = frame_head(w->p + w->n, op, fin, n);

	w->p[w->n + 1] |= 0x80;
	memcpy(w->p + w->n + head, mask, 4);
	if (n > 0)
		frame_unmask(w->p + w->n + head + 4, payload, n, mask, 0);
	w->n += head + 4 + n;
}

static void say_text(struct wire *w, unsigned op, bool fin, const char *text)
{
	say(w, op, fin, text, strlen(text));
}

static struct span all(const struct wire *w)
{
	return span_of(w->p, w->n);
}

/* Read one message of the kind and with the body that are expected. */
static void expect(struct message_reader *r, struct span *in, enum message_kind kind,
		   const char *body)
{
	struct message m;

	cr_assert(eq(int, message_read(r, in, &limits, &m), OK));
	cr_assert(eq(int, m.kind, kind));
	cr_assert(span_is(blob_span(m.body), body), "%.*s", SPAN_ARG(blob_span(m.body)));
	blob_unref(m.body);
}

static void expect_end(struct message_reader *r, struct span *in)
{
	struct message m;

	cr_assert(eq(int, message_read(r, in, &limits, &m), ERR_AGAIN));
	cr_assert(eq(sz, in->n, 0));
}

Test(message, a_frame_is_a_message_and_the_reader_is_idle_after_it)
{
	struct wire w = {.n = 0};
	struct message_reader r = {0};

	say_text(&w, FRAME_TEXT, true, "Hello");
	say_text(&w, FRAME_BINARY, true, "bytes");
	say_text(&w, FRAME_TEXT, true, "");

	struct span in = all(&w);

	expect(&r, &in, MESSAGE_TEXT, "Hello");
	cr_assert(message_reader_is_idle(&r));
	expect(&r, &in, MESSAGE_BINARY, "bytes");
	expect(&r, &in, MESSAGE_TEXT, "");
	expect_end(&r, &in);
	cr_assert(message_reader_is_idle(&r));
	cr_assert(eq(sz, message_reader_bytes(&r), 0));
}

Test(message, fragments_are_joined_and_control_frames_come_out_between_them)
{
	struct wire w = {.n = 0};
	struct message_reader r = {0};

	say_text(&w, FRAME_TEXT, false, "one ");
	say_text(&w, FRAME_PING, true, "ping");
	say_text(&w, FRAME_CONTINUATION, false, "");
	say_text(&w, FRAME_PONG, true, "");
	say_text(&w, FRAME_CONTINUATION, true, "two");

	struct span in = all(&w);

	expect(&r, &in, MESSAGE_PING, "ping");
	cr_assert(not(message_reader_is_idle(&r)));
	expect(&r, &in, MESSAGE_PONG, "");
	expect(&r, &in, MESSAGE_TEXT, "one two");
	cr_assert(message_reader_is_idle(&r));
}

Test(message, a_reader_that_is_moved_goes_on_where_it_was)
{
	struct wire w = {.n = 0};
	struct message_reader first = {0};

	say_text(&w, FRAME_TEXT, true, "moved");
	for (size_t cut = 1; cut < w.n; cut++) {
		struct span in = span_of(w.p, cut);

		expect_end(&first, &in);
		cr_assert(not(message_reader_is_idle(&first)));

		struct message_reader second = first;

		first = (struct message_reader){0};
		in = span_of(w.p + cut, w.n - cut);
		expect(&second, &in, MESSAGE_TEXT, "moved");
		cr_assert(message_reader_is_idle(&second));
	}
}

/* A long conversation, and what it should be read as. */
static void converse(struct wire *w, char *want, size_t n)
{
	static const char *const words[] = {"", "a", "κόσμε", "€uro",
					    "and a longer one, over eight bytes"};
	size_t used = 0;

	want[0] = '\0';
	for (size_t i = 0; i < 60; i++) {
		const char *a = words[(size_t)rand() % 5];
		const char *b = words[(size_t)rand() % 5];
		size_t cut = strlen(a) ? (size_t)rand() % strlen(a)
				       : 0; /* inside a character too */

		say(w, FRAME_TEXT, false, a, cut);
		if (rand() % 2)
			used += (size_t)snprintf(want + used, n - used, "%d[%s]",
						 MESSAGE_PING, b);
		if (used && want[used - 1] == ']')
			say_text(w, FRAME_PING, true, b);
		say_text(w, FRAME_CONTINUATION, true, a + cut);
		used += (size_t)snprintf(want + used, n - used, "%d[%s];", MESSAGE_TEXT,
					 a);
	}
}

Test(message, any_split_of_the_stream_gives_the_same_messages)
{
	for (unsigned seed = 1; seed <= 300; seed++) {
		static struct wire w;
		char want[8192], got[8192];
		size_t used = 0;
		struct message_reader r = {0};

		srand(seed);
		w.n = 0;
		converse(&w, want, sizeof want);
		got[0] = '\0';
		for (size_t at = 0; at < w.n;) {
			size_t n = 1 + (size_t)rand() % (seed % 50 + 1);
			struct span in = span_of(w.p + at, n < w.n - at ? n : w.n - at);
			struct message m;

			at += in.n;
			while (message_read(&r, &in, &limits, &m) == OK) {
				used += (size_t)snprintf(
					got + used, sizeof got - used, "%d[%.*s]%s",
					(int)m.kind, SPAN_ARG(blob_span(m.body)),
					m.kind == MESSAGE_TEXT ? ";" : "");
				blob_unref(m.body);
			}
		}
		cr_assert(eq(str, got, want), "seed %u", seed);
		cr_assert(message_reader_is_idle(&r));
	}
}

struct row {
	char why[56];
	struct {
		unsigned op;
		bool fin;
		char payload[16];
		size_t n;
	} frames[3];
	size_t n;
	uint16_t code; /* of the refusal */
};

ParameterizedTestParameters(message, refusal)
{
	static struct row rows[] = {
		{"a continuation of nothing",
		 {{FRAME_CONTINUATION, true, "x", 1}},
		 1,
		 1002},
		{"a continuation of a whole message",
		 {{FRAME_TEXT, true, "x", 1}, {FRAME_CONTINUATION, false, "x", 1}},
		 2,
		 1002},
		{"a message inside a fragmented one",
		 {{FRAME_TEXT, false, "x", 1}, {FRAME_TEXT, true, "x", 1}},
		 2,
		 1002},
		{"a binary inside a fragmented text",
		 {{FRAME_TEXT, false, "x", 1}, {FRAME_BINARY, false, "x", 1}},
		 2,
		 1002},
		{"text that is not UTF-8", {{FRAME_TEXT, true, "a\xff", 2}}, 1, 1007},
		{"text that ends inside a character",
		 {{FRAME_TEXT, true, "\xe2\x82", 2}},
		 1,
		 1007},
		{"an empty end inside a character",
		 {{FRAME_TEXT, false, "\xe2\x82", 2}, {FRAME_CONTINUATION, true, "", 0}},
		 2,
		 1007},
		{"a surrogate over two fragments",
		 {{FRAME_TEXT, false, "\xed", 1}, {FRAME_CONTINUATION, false, "\xa0", 1}},
		 2,
		 1007},
		{"a close frame of one byte", {{FRAME_CLOSE, true, "\3", 1}}, 1, 1002},
		{"close code 999", {{FRAME_CLOSE, true, "\x03\xe7", 2}}, 1, 1002},
		{"close code 1005", {{FRAME_CLOSE, true, "\x03\xed", 2}}, 1, 1002},
		{"close code 1015", {{FRAME_CLOSE, true, "\x03\xf7", 2}}, 1, 1002},
		{"close code 2999", {{FRAME_CLOSE, true, "\x0b\xb7", 2}}, 1, 1002},
		{"close code 5000", {{FRAME_CLOSE, true, "\x13\x88", 2}}, 1, 1002},
		{"a close reason that is not UTF-8",
		 {{FRAME_CLOSE, true, "\x03\xe8\xc3", 3}},
		 1,
		 1007},
		{"a reserved opcode", {{0x3, true, "", 0}}, 1, 1002},
		{"reserved bits", {{0x41, true, "", 0}}, 1, 1002},
	};

	return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

/* All of the rows' frames but the last are good; bytes come one by one. */
ParameterizedTest(struct row *row, message, refusal)
{
	struct wire w = {.n = 0};
	struct message_reader r = {0};
	struct message m = {0};
	enum err e = ERR_AGAIN;

	for (size_t i = 0; i < row->n; i++)
		say(&w, row->frames[i].op, row->frames[i].fin, row->frames[i].payload,
		    row->frames[i].n);
	for (size_t i = 0; i < w.n && e != ERR_MALFORMED; i++) {
		struct span in = span_of(w.p + i, 1);

		e = message_read(&r, &in, &limits, &m);
		if (e == OK)
			blob_unref(m.body);
	}
	cr_assert(eq(int, e, ERR_MALFORMED), "%s", row->why);
	cr_assert(eq(u16, m.code, row->code), "%s", row->why);
	cr_assert(m.why != NULL && strlen(m.why) <= 123, "%s", row->why);
	message_reader_close(&r);
	cr_assert(message_reader_is_idle(&r));
}

/* Autobahn 6.4: the frame has not ended, and yet it is refused at the byte that did it. */
Test(message, bad_text_is_refused_inside_its_frame)
{
	static const char text[] = "\xce\xba\xe1\xbd\xb9\xf4\x90\x80\x80"
				   "edited";
	struct wire w = {.n = 0};
	struct message_reader r = {0};
	struct message m;
	size_t bad = 6 + 6; /* the header, and what is good of the text and \xf4 */

	say_text(&w, FRAME_TEXT, true, text);
	for (size_t i = 0; i < w.n; i++) {
		struct span in = span_of(w.p + i, 1);
		enum err e = message_read(&r, &in, &limits, &m);

		cr_assert(eq(int, e, i < bad ? ERR_AGAIN : ERR_MALFORMED), "byte %zu", i);
		if (e != ERR_AGAIN)
			break;
	}
	cr_assert(eq(u16, m.code, 1007));
	message_reader_close(&r);
}

Test(message, a_close_frame_gives_its_code_and_reason)
{
	struct wire w = {.n = 0};
	struct message_reader r = {0};
	struct message m;

	say_text(&w, FRAME_CLOSE, true,
		 "\x03\xe8"
		 "goodbye");

	struct span in = all(&w);

	cr_assert(eq(int, message_read(&r, &in, &limits, &m), OK));
	cr_assert(eq(int, m.kind, MESSAGE_CLOSE));
	cr_assert(eq(u16, m.code, 1000));
	cr_assert(span_is(m.reason, "goodbye"));
	blob_unref(m.body);
}

Test(message, an_empty_close_frame_has_code_1005)
{
	struct wire w = {.n = 0};
	struct message_reader r = {0};
	struct message m;

	say_text(&w, FRAME_CLOSE, true, "");

	struct span in = all(&w);

	cr_assert(eq(int, message_read(&r, &in, &limits, &m), OK));
	cr_assert(eq(u16, m.code, 1005));
	cr_assert(eq(sz, m.reason.n, 0));
	blob_unref(m.body);
}

static enum err read_all(const struct wire *w, const struct message_limits *lim,
			 struct message *m)
{
	struct message_reader r = {0};
	struct span in = all(w);
	enum err e = message_read(&r, &in, lim, m);

	if (e == OK)
		blob_unref(m->body);
	message_reader_close(&r);
	return e;
}

Test(message, a_frame_of_the_limit_passes_and_one_byte_more_is_refused_by_its_header)
{
	static const struct message_limits lim = {.max_message = 100, .max_frame = 50};
	char text[51];
	struct wire w = {.n = 0};
	struct message m;

	memset(text, 'a', sizeof text);
	say(&w, FRAME_TEXT, true, text, 50);
	cr_assert(eq(int, read_all(&w, &lim, &m), OK));
	w.n = 0;
	say(&w, FRAME_TEXT, true, text, 51);
	w.n = 6; /* the header alone */
	cr_assert(eq(int, read_all(&w, &lim, &m), ERR_TOOBIG));
	cr_assert(eq(u16, m.code, 1009));
}

Test(message, fragments_that_add_up_to_over_the_limit_are_refused)
{
	static const struct message_limits lim = {.max_message = 100, .max_frame = 60};
	char text[60];
	struct wire w = {.n = 0};
	struct message m;

	memset(text, 'a', sizeof text);
	say(&w, FRAME_TEXT, false, text, 60);
	say(&w, FRAME_CONTINUATION, true, text, 40);
	cr_assert(eq(int, read_all(&w, &lim, &m), OK));
	w.n = 0;
	say(&w, FRAME_TEXT, false, text, 60);
	say(&w, FRAME_CONTINUATION, true, text, 41);
	cr_assert(eq(int, read_all(&w, &lim, &m), ERR_TOOBIG));
	cr_assert(eq(u16, m.code, 1009));
}

Test(message, a_promise_of_much_costs_only_what_has_arrived)
{
	static const struct message_limits lim = {.max_message = 1 << 30,
						  .max_frame = 1 << 30};
	static const uint8_t header[] = {0x82, 0xff, 0, 0, 0, 0, 0x40,
					 0,    0,    0, 1, 2, 3, 4};
	static const uint8_t bytes[1000];
	struct message_reader r = {0};
	struct message m;
	struct span in = span_of(header, sizeof header);

	cr_assert(eq(int, message_read(&r, &in, &lim, &m), ERR_AGAIN));
	cr_assert(eq(sz, message_reader_bytes(&r), 0));
	for (size_t arrived = 1000; arrived <= 100000; arrived += 1000) {
		in = span_of(bytes, sizeof bytes);
		cr_assert(eq(int, message_read(&r, &in, &lim, &m), ERR_AGAIN));
		cr_assert(le(sz, message_reader_bytes(&r), 2 * arrived + 64));
	}
	message_reader_close(&r);
}

Test(message, a_reader_fits_into_two_hundred_bytes)
{
	cr_assert(le(sz, sizeof(struct message_reader), 200));
}
