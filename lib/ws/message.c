#include "ws/message.h"

#include "base/utf8.h"
#include "ws/close_code.h"

#include <assert.h>

static enum err read_header(struct message_reader *r, struct span *in,
			    const struct message_limits *lim, struct message *out);
static enum err read_control(struct message_reader *r, struct span *in,
			     struct message *out);
static enum err read_data(struct message_reader *r, struct span *in,
			  const struct message_limits *lim, struct message *out);

/* The smallest buffer of a message that arrives in pieces. */
enum { ROOM_LEAST = 256 };

static enum err fail(struct message *out, enum err e, uint16_t code, const char *why)
{
	out->code = code;
	out->why = why;
	return e;
}

static void advance(struct span *in, size_t n)
{
	if (n > 0)
		*in = span_of(in->p + n, in->n - n);
}

enum err message_read(struct message_reader *r, struct span *in,
		      const struct message_limits *lim, struct message *out)
{
	for (;;) {
		enum err e = OK;

		if (!r->in_frame)
			e = read_header(r, in, lim, out);
		if (e != OK)
			return e;
		if (r->frame.op & 0x08)
			return read_control(r, in, out);
		e = read_data(r, in, lim, out);
		if (e != OK || r->op == 0)
			return e;
	}
}

/* A header that the bytes at hand cut in two: gather it, byte by byte. */
static enum err gather_header(struct message_reader *r, struct span *in)
{
	enum err e = ERR_AGAIN;

	while (e == ERR_AGAIN && in->n > 0) {
		assert(r->head_n < sizeof r->head);
		r->head[r->head_n++] = in->p[0];
		advance(in, 1);
		e = frame_parse(span_of(r->head, r->head_n), &r->frame);
	}
	if (e == OK)
		r->head_n = 0;
	return e;
}

static enum err parse_header(struct message_reader *r, struct span *in)
{
	enum err e;

	if (r->head_n > 0)
		return gather_header(r, in);
	e = frame_parse(*in, &r->frame);
	if (e == OK)
		advance(in, r->frame.header);
	if (e == ERR_AGAIN && in->n > 0)
		return gather_header(r, in);
	return e;
}

/* RFC 6455 5.4: which data frame may follow which. */
static const char *sequence_fault(const struct message_reader *r)
{
	if (r->frame.op == FRAME_CONTINUATION && r->op == 0)
		return "a continuation frame continues no message";
	if (r->frame.op != FRAME_CONTINUATION && r->op != 0)
		return "a new message began inside a fragmented one";
	return NULL;
}

static enum err read_header(struct message_reader *r, struct span *in,
			    const struct message_limits *lim, struct message *out)
{
	enum err e = parse_header(r, in);
	uint64_t used = r->body_n + r->empty;

	if (e == ERR_MALFORMED)
		return fail(out, e, FRAME_CODE_PROTOCOL, r->frame.why);
	if (e != OK)
		return e;
	r->taken = 0;
	r->in_frame = true;
	if (r->frame.op & 0x08) {
		r->control = blob_alloc((size_t)r->frame.payload);
		return OK;
	}

	const char *fault = sequence_fault(r);

	if (fault)
		return fail(out, ERR_MALFORMED, FRAME_CODE_PROTOCOL, fault);
	if (r->frame.payload > lim->max_frame)
		return fail(out, ERR_TOOBIG, FRAME_CODE_TOOBIG,
			    "the frame is over the limit");
	if (used > lim->max_message || r->frame.payload > lim->max_message - used)
		return fail(out, ERR_TOOBIG, FRAME_CODE_TOOBIG,
			    "the message is over the limit");
	if (r->op == 0)
		r->op = (uint8_t)r->frame.op;
	r->empty += r->frame.payload == 0 && !r->frame.fin;
	return OK;
}

/* Unmask what is at hand of the frame's payload to `to`; returns how much that was. */
static size_t take_payload(struct message_reader *r, struct span *in, uint8_t *to,
			   size_t n)
{
	frame_unmask(to, in->p, n, r->frame.mask, r->taken);
	r->taken += n;
	advance(in, n);
	return n;
}

static size_t at_hand(const struct message_reader *r, const struct span *in)
{
	uint64_t left = r->frame.payload - r->taken;

	return left < in->n ? (size_t)left : in->n;
}

/* RFC 6455 5.5.1, 7.4: an empty body, or a code and a reason in UTF-8. */
static enum err check_close(struct span body, struct message *out)
{
	out->code = frame_close_code(body);
	out->reason = span_of(body.p, 0);
	if (body.n == 0)
		return OK;
	if (body.n == 1)
		return fail(out, ERR_MALFORMED, FRAME_CODE_PROTOCOL,
			    "a close frame's body is empty or begins with a code of two "
			    "bytes");
	out->reason = span_of(body.p + 2, body.n - 2);
	if (!close_code_is_allowed(out->code))
		return fail(out, ERR_MALFORMED, FRAME_CODE_PROTOCOL,
			    "the close frame's code may not be sent");
	if (!utf8_check(out->reason))
		return fail(out, ERR_MALFORMED, FRAME_CODE_NOT_UTF8,
			    "the close frame's reason is not UTF-8");
	return OK;
}

static enum message_kind control_kind(unsigned op)
{
	return op == FRAME_CLOSE  ? MESSAGE_CLOSE
	       : op == FRAME_PING ? MESSAGE_PING
				  : MESSAGE_PONG;
}

static enum err read_control(struct message_reader *r, struct span *in,
			     struct message *out)
{
	enum err e = OK;

	take_payload(r, in, r->control->p + r->taken, at_hand(r, in));
	if (r->taken < r->frame.payload)
		return ERR_AGAIN;
	*out = (struct message){.kind = control_kind(r->frame.op)};
	if (out->kind == MESSAGE_CLOSE)
		e = check_close(blob_span(r->control), out);
	if (e != OK)
		return e;
	out->body = r->control;
	r->control = NULL;
	r->in_frame = false;
	return OK;
}

/*
 * How much to allocate for n more bytes: twice what has arrived, so that a header's promise
 * alone costs nothing; never more than the message can come to.
 */
static size_t room_for(const struct message_reader *r, size_t n, uint64_t max_message)
{
	uint64_t need = r->body_n + n;
	uint64_t most =
		r->frame.fin ? r->body_n + r->frame.payload - r->taken : max_message;
	uint64_t room = 2 * (uint64_t)r->body_n;

	if (room < ROOM_LEAST)
		room = ROOM_LEAST;
	if (room < need)
		room = need;
	return (size_t)(room < most ? room : most);
}

static void make_room(struct message_reader *r, size_t n, uint64_t max_message)
{
	struct blob *old = r->body;

	if (old && old->n - r->body_n >= n)
		return;
	r->body = blob_alloc(room_for(r, n, max_message));
	if (old)
		memcpy(r->body->p, old->p, r->body_n);
	blob_unref(old);
}

/* The body alone, without much room after it: it may wait long in a queue. */
static struct blob *take_body(struct message_reader *r)
{
	struct blob *b = r->body;

	if (b == NULL)
		return blob_alloc(0);
	r->body = NULL;
	if (b->n - r->body_n > b->n / 8) {
		struct blob *exact = blob_new(span_of(b->p, r->body_n));

		blob_unref(b);
		return exact;
	}
	b->n = r->body_n;
	return b;
}

static enum err finish(struct message_reader *r, struct message *out)
{
	bool text = r->op == FRAME_TEXT;

	if (text && !utf8_is_whole(r->utf8))
		return fail(out, ERR_MALFORMED, FRAME_CODE_NOT_UTF8,
			    "the text ends inside a character");
	*out = (struct message){
		.kind = text ? MESSAGE_TEXT : MESSAGE_BINARY,
		.body = take_body(r),
	};
	*r = (struct message_reader){0};
	return OK;
}

static enum err read_data(struct message_reader *r, struct span *in,
			  const struct message_limits *lim, struct message *out)
{
	size_t n = at_hand(r, in);

	if (n > 0) {
		make_room(r, n, lim->max_message);

		uint8_t *to = r->body->p + r->body_n;

		r->body_n += take_payload(r, in, to, n);
		if (r->op == FRAME_TEXT && !utf8_feed(&r->utf8, span_of(to, n)))
			return fail(out, ERR_MALFORMED, FRAME_CODE_NOT_UTF8,
				    "the text is not UTF-8");
	}
	if (r->taken < r->frame.payload)
		return ERR_AGAIN;
	r->in_frame = false;
	return r->frame.fin ? finish(r, out) : OK;
}

bool message_reader_is_idle(const struct message_reader *r)
{
	return !r->in_frame && r->op == 0 && r->head_n == 0;
}

void message_reader_close(struct message_reader *r)
{
	blob_unref(r->body);
	blob_unref(r->control);
	*r = (struct message_reader){0};
}

size_t message_reader_bytes(const struct message_reader *r)
{
	return blob_memory(r->body) + blob_memory(r->control);
}
