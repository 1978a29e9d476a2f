/*
 * A body, by length or in chunks. However it is cut, the same content comes out, the same
 * refusal or end at the same byte; and what is content lies in what was given.
 */
#include "http/body.h"

#include <stdlib.h>

enum { MOST = 3000 };

struct result {
	uint64_t sum;
	size_t n, used;
	enum err end;
	int status;
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void add(struct result *r, struct span piece, struct span in)
{
	check(piece.n == 0 || (piece.p >= in.p && piece.p + piece.n <= in.p + in.n));
	for (size_t i = 0; i < piece.n; i++)
		r->sum = r->sum * 31 + piece.p[i] + 1;
	r->n += piece.n;
	check(r->n <= MOST);
}

/* The first byte says which kind of body it is. */
static struct result read_in_pieces(struct span all, size_t size)
{
	struct request head = {.content_length = all.p[0] == 255 ? -1 : all.p[0] * 16,
			       .chunked = all.p[0] == 255};
	struct result r = {.used = 1};
	struct body_reader b;

	r.end = body_begin(&b, &head, MOST);
	if (r.end == OK)
		r.end = ERR_AGAIN;
	while (r.end == ERR_AGAIN && r.used < all.n) {
		size_t n = all.n - r.used < size ? all.n - r.used : size;
		struct span whole = span_of(all.p + r.used, n), in = whole, piece;

		do {
			r.end = body_read(&b, &in, &piece);
			if (r.end == OK || r.end == ERR_AGAIN)
				add(&r, piece, whole);
		} while (r.end == ERR_AGAIN && in.n > 0);
		r.used += n - in.n;
	}
	r.status = b.status;
	check((r.end == ERR_MALFORMED || r.end == ERR_TOOBIG) == (b.why != NULL));
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct result whole;

	if (n == 0)
		return 0;
	whole = read_in_pieces(span_of(p, n), n);
	for (size_t size = 1; size <= 16; size += 5) {
		struct result r = read_in_pieces(span_of(p, n), size);

		check(r.sum == whole.sum && r.n == whole.n && r.end == whole.end &&
		      r.used == whole.used && r.status == whole.status);
	}
	return 0;
}
