#include "broker/channels/client/client_history.h"

#include "base/mem.h"
#include "broker/channels/delivery/message.h"
#include "broker/channels/delivery/read.h"
#include "broker/channels/client/session.h"

#include <stdlib.h>

enum {
	PAGE_BYTES = 512 * 1024, /* of one answer */
	LIST_BYTES = 256 * 1024, /* of all that an array reads */
};

static void on_read(void *arg, const struct failure *failure,
		    const struct channel_history *h);

void client_history(struct session *s)
{
	const struct channel_action *a = &s->action;
	size_t most = session_is_single(s) ? PAGE_BYTES : LIST_BYTES;
	struct read_request q = {
		.ns = s->ns,
		.channel = a->channel,
		.after = a->since.is_there ? a->since.at.offset : 0,
		.until = a->until.is_there ? a->until.at.offset : -1,
		.limit = a->limit,
		.bytes = most > s->read ? (int64_t)(most - s->read) : 0,
		.newest = a->reverse,
	};

	if (s->ns->history.size == 0)
		session_refuse(s, "not_available", "this channel has no history");
	else
		read_channel(s->clients->uses.readers, &q, on_read, s);
}

static bool is_foreign(const struct action_position *p, const struct channel_history *h)
{
	return p->is_there && !span_eq(p->at.epoch, h->position.epoch);
}

/* Where the range that was asked for ends: offsets above the first and up to the second. */
static void range(const struct channel_action *a, const struct channel_history *h,
		  int64_t *after, int64_t *until)
{
	*after = h->base;
	*until = h->position.offset;
	if (a->since.is_there && a->since.at.offset > *after)
		*after = a->since.at.offset;
	if (a->until.is_there && a->until.at.offset < *until)
		*until = a->until.at.offset;
}

/* Where to go on; an empty epoch: that was all, or nothing was asked for. */
static struct position next_of(const struct channel_action *a,
			       const struct channel_history *h)
{
	int64_t after, until, last = h->first + (int64_t)h->n - 1;

	range(a, h, &after, &until);
	if (h->n == 0)
		return (struct position){0};
	if (a->reverse && h->first - 1 > after)
		return (struct position){h->position.epoch, h->first - 1};
	if (!a->reverse && last < until)
		return (struct position){h->position.epoch, last};
	return (struct position){0};
}

static struct blob *page_of(struct session *s, const struct channel_history *h)
{
	struct blob **frames = xcalloc(h->n, sizeof(struct blob *));
	struct frame_head head = session_head(s);
	struct frame_history page = {
		.at = h->position,
		.messages = frames,
		.n = h->n,
		.next = next_of(&s->action, h),
	};
	struct blob *b;

	for (size_t i = 0; i < h->n; i++) {
		struct position at = {h->position.epoch, h->first + (int64_t)i};

		frames[s->action.reverse ? h->n - 1 - i : i] =
			message_frame(s->action.channel, at, h->messages[i].time_ms,
				      h->messages[i].message);
		s->read += h->messages[i].message.n;
	}
	b = frame_history(&head, &page);
	for (size_t i = 0; i < h->n; i++)
		blob_unref(frames[i]);
	free(frames);
	return b;
}

static void on_read(void *arg, const struct failure *failure,
		    const struct channel_history *h)
{
	struct session *s = arg;

	if (failure != NULL) {
		session_fail(s, failure);
		return;
	}
	if (is_foreign(&s->action.since, h) || is_foreign(&s->action.until, h)) {
		session_refuse(s, "epoch", "the position is of another epoch");
		return;
	}
	session_ack_page(s, page_of(s, h));
}
