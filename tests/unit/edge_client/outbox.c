#include "edge/client/outbox.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FRAMES = 100, FRAME = 3000 };

static struct transport ours;
static int theirs;
static struct outbox *o;

/* The kernel's smallest buffers, so that a few frames fill them. */
static void start(void)
{
	int fd[2], least = 1;

	cr_assert(eq(int, socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0));
	ours.fd = fd[0];
	theirs = fd[1];
	setsockopt(ours.fd, SOL_SOCKET, SO_SNDBUF, &least, sizeof least);
	setsockopt(theirs, SOL_SOCKET, SO_RCVBUF, &least, sizeof least);
}

static void end(void)
{
	outbox_close(&o);
	transport_close(&ours);
	if (theirs != -1)
		close(theirs);
}

TestSuite(outbox, .init = start, .fini = end, .timeout = 30);

/* Frame i is bytes that only frame i has. */
static struct blob *frame(int i)
{
	struct blob *b = blob_alloc(FRAME);

	for (size_t k = 0; k < FRAME; k++)
		b->p[k] = (uint8_t)(i * 7 + (int)k);
	return b;
}

/* Take what is there, and compare it with the stream of frames at *at. */
static size_t take(size_t *at)
{
	uint8_t in[1024];
	ssize_t n = recv(theirs, in, sizeof in, MSG_DONTWAIT);

	for (ssize_t i = 0; i < n; i++, ++*at)
		cr_assert(in[i] == (uint8_t)(*at / FRAME * 7 + *at % FRAME), "byte %zu",
			  *at);
	return n > 0 ? (size_t)n : 0;
}

Test(outbox, none_has_no_bytes_and_nothing_to_write)
{
	size_t wrote = 0;

	cr_assert(eq(sz, outbox_bytes(NULL), 0));
	cr_assert(eq(int, outbox_write(&o, &ours, &wrote), OK));
	cr_assert(eq(sz, wrote, 0));
	outbox_close(&o);
}

Test(outbox, what_fits_is_written_at_once_and_the_outbox_is_gone)
{
	size_t wrote = 5, at = 0;

	outbox_push(&o, frame(0));
	cr_assert(eq(sz, outbox_bytes(o), FRAME));
	cr_assert(eq(int, outbox_write(&o, &ours, &wrote), OK));
	cr_assert(o == NULL);
	cr_assert(eq(sz, wrote, FRAME + 5));
	while (take(&at) > 0)
		;
	cr_assert(eq(sz, at, FRAME));
}

/* More than one gathering write takes, and through many rounds of the ring. */
Test(outbox, a_reader_that_takes_little_at_a_time_gets_every_byte_in_order)
{
	size_t wrote = 0, at = 0;
	enum err e = ERR_AGAIN;
	int stalls = 0;

	for (int i = 0; i < FRAMES; i++)
		outbox_push(&o, frame(i));
	while (e == ERR_AGAIN) {
		e = outbox_write(&o, &ours, &wrote);
		stalls += e == ERR_AGAIN;
		cr_assert(eq(sz, outbox_bytes(o), (size_t)FRAMES * FRAME - wrote));
		take(&at);
	}
	cr_assert(eq(int, e, OK));
	cr_assert(gt(int, stalls, 5));
	while (take(&at) > 0)
		;
	cr_assert(eq(sz, at, (size_t)FRAMES * FRAME));
}

Test(outbox, frames_pushed_while_others_wait_come_after_them)
{
	size_t wrote = 0, at = 0;
	int pushed = 0;

	while (pushed < FRAMES) {
		outbox_push(&o, frame(pushed++));
		if (outbox_write(&o, &ours, &wrote) == ERR_DOWN)
			cr_fatal("the socket is broken");
		if (pushed % 3 == 0)
			take(&at);
	}
	while (o != NULL) {
		take(&at);
		cr_assert(ne(int, outbox_write(&o, &ours, &wrote), ERR_DOWN));
	}
	while (take(&at) > 0)
		;
	cr_assert(eq(sz, at, (size_t)FRAMES * FRAME));
}

Test(outbox, one_blob_can_wait_in_many_outboxes)
{
	enum { MANY = 1000 };
	struct outbox *many[MANY] = {NULL};
	struct blob *b = frame(0);
	size_t wrote = 0;

	for (int i = 0; i < MANY; i++)
		outbox_push(&many[i], blob_ref(b));
	cr_assert(eq(u32, b->refs, MANY + 1));
	cr_assert(eq(int, outbox_write(&many[0], &ours, &wrote), OK));
	cr_assert(eq(u32, b->refs, MANY));
	for (int i = 1; i < MANY; i++)
		outbox_close(&many[i]);
	cr_assert(eq(u32, b->refs, 1));
	blob_unref(b);
}

Test(outbox, a_blob_is_let_go_when_its_last_byte_is_written)
{
	struct blob *first = frame(0);
	size_t wrote = 0, at = 0;

	outbox_push(&o, blob_ref(first));
	for (int i = 1; i < FRAMES; i++)
		outbox_push(&o, frame(i));
	while (wrote < FRAME) {
		cr_assert(eq(u32, first->refs, 2));
		cr_assert(eq(int, outbox_write(&o, &ours, &wrote), ERR_AGAIN));
		take(&at);
	}
	cr_assert(eq(u32, first->refs, 1));
	blob_unref(first);
}

Test(outbox, an_empty_blob_among_others_is_no_obstacle)
{
	size_t wrote = 0;

	outbox_push(&o, blob_alloc(0));
	outbox_push(&o, frame(0));
	outbox_push(&o, blob_alloc(0));
	cr_assert(eq(int, outbox_write(&o, &ours, &wrote), OK));
	cr_assert(eq(sz, wrote, FRAME));
	cr_assert(o == NULL);
	outbox_push(&o, blob_alloc(0));
	cr_assert(eq(int, outbox_write(&o, &ours, &wrote), OK));
	cr_assert(o == NULL);
}

Test(outbox, a_closed_peer_is_down_and_raises_no_signal)
{
	size_t wrote = 0;

	close(theirs);
	theirs = -1;
	outbox_push(&o, frame(0));
	cr_assert(eq(int, outbox_write(&o, &ours, &wrote), ERR_DOWN));
	cr_assert(eq(sz, wrote, 0));
	cr_assert(eq(sz, outbox_bytes(o), FRAME));
}

Test(outbox, a_peer_that_goes_while_frames_wait_is_down_too)
{
	size_t wrote = 0;

	for (int i = 0; i < FRAMES; i++)
		outbox_push(&o, frame(i));
	cr_assert(eq(int, outbox_write(&o, &ours, &wrote), ERR_AGAIN));
	close(theirs);
	theirs = -1;
	cr_assert(eq(int, outbox_write(&o, &ours, &wrote), ERR_DOWN));
	outbox_close(&o);
	cr_assert(o == NULL);
}

Test(outbox, many_small_blobs_hold_more_than_their_bytes)
{
	for (int i = 0; i < FRAMES; i++)
		outbox_push(&o, blob_new(span_str("xx")));
	cr_assert(eq(sz, outbox_bytes(o), 2 * FRAMES));
	cr_assert(ge(sz, outbox_held(o), FRAMES * sizeof(struct blob)));
	cr_assert(eq(sz, outbox_held(NULL), 0));
}
