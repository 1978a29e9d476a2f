/*
 * A stream of frames. However it is cut, the same messages come out and the same
 * refusal ends it; and what a reader holds is bounded by what has arrived.
 */
#include "base/utf8.h"
#include "ws/message.h"
#include "ws/close_code.h"

#include <stdlib.h>

static const struct message_limits limits = {.max_message = 3000, .max_frame = 2000};

/* What a stream came to: a sum over all messages, and how it ended. */
struct result {
	uint64_t sum;
	enum err end;
	uint16_t code;
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void add(struct result *r, const struct message *m)
{
	r->sum = r->sum * 31 + m->kind + 1;
	for (size_t i = 0; i < m->body->n; i++)
		r->sum = r->sum * 31 + m->body->p[i];
	check(m->kind != MESSAGE_TEXT || utf8_check(blob_span(m->body)));
	check(m->kind != MESSAGE_CLOSE || m->code == FRAME_CODE_NONE ||
	      close_code_is_allowed(m->code));
	check(m->body->n <= limits.max_message);
}

/* Read in pieces of `piece` bytes. */
static struct result read_in_pieces(struct span all, size_t piece)
{
	struct message_reader r = {0};
	struct result result = {.end = ERR_AGAIN};

	for (size_t at = 0; at < all.n && result.end == ERR_AGAIN;) {
		struct span in =
			span_of(all.p + at, all.n - at < piece ? all.n - at : piece);
		struct message m = {0};

		at += in.n;
		while ((result.end = message_read(&r, &in, &limits, &m)) == OK) {
			add(&result, &m);
			blob_unref(m.body);
		}
		check(result.end != ERR_AGAIN || in.n == 0);
		check(result.end == ERR_AGAIN || m.why);
		check(message_reader_bytes(&r) <= 2 * at + 1024);
		result.code = m.code;
	}
	if (result.end == ERR_AGAIN)
		result.code = 0;
	message_reader_close(&r);
	check(message_reader_is_idle(&r) && message_reader_bytes(&r) == 0);
	return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span in = span_of(p, n);
	struct result whole = read_in_pieces(in, n ? n : 1);

	for (size_t piece = 1; piece <= 16; piece += 5) {
		struct result r = read_in_pieces(in, piece);

		check(r.sum == whole.sum && r.end == whole.end && r.code == whole.code);
	}
	return 0;
}
