#include "broker/channels/client/client_publish.h"

#include "broker/channels/delivery/publish.h"
#include "broker/channels/client/session.h"
#include "store/user_rate.h"

static void hand_over(struct session *s);
static void on_rate(void *arg, enum err e, bool is_within);
static void on_published(void *arg, const struct published *p);

static void refuse_rate(struct session *s, const char *why)
{
	session_fail(s, &(struct failure){"rate", why, true});
}

static bool is_within_rate(struct session *s)
{
	int64_t rate = s->ns->limits.rate;

	return rate == 0 ||
	       rate_allow(s->clients->rates, &s->event.in->id, span_str(s->ns->name),
			  rate, loop_now(s->clients->uses.loop));
}

void client_publish(struct session *s)
{
	struct span user = session_user(s);
	int64_t user_rate = s->ns->limits.user_rate;

	if ((int64_t)s->action.data.n > s->ns->limits.message)
		session_refuse(s, "too_large",
			       "data is larger than the namespace allows");
	else if (s->event.is_trusted)
		hand_over(s);
	else if (!is_within_rate(s))
		refuse_rate(s, "too many publishes of this connection in a second");
	else if (user_rate == 0 || user.n == 0)
		hand_over(s);
	else
		store_user_rate(s->clients->uses.store, user, span_str(s->ns->name),
				user_rate, on_rate, s);
}

static void on_rate(void *arg, enum err e, bool is_within)
{
	struct session *s = arg;

	if (e != OK)
		session_fail_later(s, "the limit of the user cannot be checked, retry");
	else if (!is_within)
		refuse_rate(s, "too many publishes of this user in a second");
	else
		hand_over(s);
}

static void hand_over(struct session *s)
{
	const struct channel_action *a = &s->action;
	struct publication q = {
		.ns = s->ns,
		.channel = a->channel,
		.data = a->data,
		.key = a->key,
		.n_tags = a->n_tags,
		.has_version = a->has_version,
		.version = a->version,
		.user = session_user(s),
		.from = &s->event.in->id,
		.event = s->event.in->seq,
		.index = (unsigned)s->at, /* the same when the event is handled again */
		.event_ms = s->event.in->time_ms,
		.receipt = a->receipt,
	};

	memcpy(q.tags, a->tags, a->n_tags * sizeof *a->tags);
	publish(s->clients->uses.publishers, &q, on_published, s);
}

static void on_published(void *arg, const struct published *p)
{
	struct session *s = arg;
	struct frame_head h = session_head(s);

	if (p->failure != NULL)
		session_fail(s, p->failure);
	else
		session_ack(s, frame_published(&h, p, s->action.receipt));
}
