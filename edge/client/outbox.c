#include "edge/client/outbox.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

/* Overhead of a small blob: its header, the allocator's, and the pointer here, twice when the ring grows. */
enum { FIRST_ROOM = 4, IOV_MOST = 64, BLOB_COSTS = 64 };

struct outbox {
	size_t bytes;
	size_t offset; /* of the first blob, what is written */
	size_t first, n, room;
	struct blob *blobs[]; /* a ring */
};

static struct blob **at(struct outbox *o, size_t i)
{
	assert(o->room > 0);
	return &o->blobs[(o->first + i) % o->room];
}

static struct outbox *grown(struct outbox *old)
{
	size_t room = old ? old->room * 2 : FIRST_ROOM;
	struct outbox *o = xmalloc(sizeof *o + room * sizeof *o->blobs);

	*o = (struct outbox){.room = room};
	if (old == NULL)
		return o;
	o->bytes = old->bytes;
	o->offset = old->offset;
	for (o->n = 0; o->n < old->n; o->n++)
		o->blobs[o->n] = *at(old, o->n);
	free(old);
	return o;
}

void outbox_push(struct outbox **o, struct blob *b)
{
	if (*o == NULL || (*o)->n == (*o)->room)
		*o = grown(*o);
	*at(*o, (*o)->n++) = b;
	(*o)->bytes += b->n;
}

size_t outbox_bytes(const struct outbox *o)
{
	return o ? o->bytes : 0;
}

size_t outbox_held(const struct outbox *o)
{
	return o ? o->bytes + o->n * BLOB_COSTS : 0;
}

size_t outbox_memory(const struct outbox *o)
{
	return o ? o->bytes + o->offset + o->n * BLOB_COSTS : 0;
}

static size_t gather(struct outbox *o, struct iovec *iov)
{
	size_t n = 0;

	for (; n < o->n && n < IOV_MOST; n++) {
		struct blob *b = *at(o, n);
		size_t skip = n == 0 ? o->offset : 0;

		iov[n] = (struct iovec){b->p + skip, b->n - skip};
	}
	return n;
}

static void written(struct outbox *o, size_t n)
{
	o->bytes -= n;
	o->offset += n;
	while (o->n > 0 && o->offset >= (*at(o, 0))->n) {
		struct blob *b = *at(o, 0);

		o->offset -= b->n;
		o->first = (o->first + 1) % o->room;
		o->n--;
		blob_unref(b);
	}
}

enum err outbox_write(struct outbox **o, const struct transport *t, size_t *wrote)
{
	while (*o != NULL && (*o)->n > 0) {
		struct iovec iov[IOV_MOST];
		size_t n;
		enum err e = transport_write(t, iov, gather(*o, iov), &n);

		if (e != OK)
			return e;
		written(*o, n);
		*wrote += n;
	}
	outbox_close(o);
	return OK;
}

void outbox_close(struct outbox **o)
{
	if (*o == NULL)
		return;
	for (size_t i = 0; i < (*o)->n; i++)
		blob_unref(*at(*o, i));
	free(*o);
	*o = NULL;
}
