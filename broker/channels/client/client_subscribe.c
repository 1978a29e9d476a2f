#include "broker/channels/client/client_subscribe.h"

#include "broker/channels/client/client_presence.h"
#include "broker/channels/client/filter.h"
#include "broker/channels/delivery/message.h"
#include "broker/channels/delivery/read.h"
#include "broker/channels/client/session.h"
#include "proto/batch.h"
#include "proto/envelope.h"

enum {
	RECOVER_MESSAGES = ENVELOPE_PUBLICATIONS,
	RECOVER_BYTES = 1024 * 1024,
	LIST_BYTES = 512 * 1024, /* of all recoveries of an array */
};

static void on_outcome(void *arg, enum err e, const Gatepost__Outcome *o);
static void acknowledge_live(struct session *s, const Gatepost__Position *p);
static void read_position(struct session *s);
static void on_read(void *arg, const struct failure *failure,
		    const struct channel_history *h);

static bool has_history(const struct session *s)
{
	return s->ns->history.size > 0;
}

static bool is_cache(const struct session *s)
{
	enum channel_recover r =
		s->action.has_recover ? s->action.recover : s->ns->recover;

	return has_history(s) && r == CHANNEL_CACHE;
}

/* ---- the command ---- */

static const Gatepost__Subscription__Slow slow[] = {
	[CHANNEL_DISCONNECT] = GATEPOST__SUBSCRIPTION__SLOW__DISCONNECT,
	[CHANNEL_DROP_OLDEST] = GATEPOST__SUBSCRIPTION__SLOW__DROP_OLDEST,
	[CHANNEL_LATEST] = GATEPOST__SUBSCRIPTION__SLOW__LATEST,
};

static void fill(void *arg, struct batch *b, Gatepost__Command *to)
{
	const struct session *s = arg;
	const struct config_namespace *ns = s->ns;
	Gatepost__Subscription *sub = proto_arena_alloc(&b->arena, sizeof *sub);
	struct filter filter = {0};

	if (s->action.filter.n > 0) /* it was checked */
		(void)filter_read(s->action.filter, &b->arena, &filter);
	gatepost__subscription__init(sub);
	sub->channel = batch_copy(b, s->action.channel);
	sub->filter = filter.nodes;
	sub->n_filter = filter.n;
	sub->slow = slow[ns->slow];
	sub->batch = s->action.batch;
	sub->cache = is_cache(s);
	sub->raw = ns->format == CHANNEL_RAW;
	sub->presence_events =
		s->action.presence && ns->presence.members && ns->presence.events_ms > 0;
	if (s->member != NULL)
		sub->member = batch_copy(b, blob_span(s->member));
	sub->expires_ms = s->expires_ms;
	sub->most = (uint32_t)ns->limits.subscriptions;
	to->subscription = sub;
}

void client_subscribe(struct session *s)
{
	struct filter filter;
	const char *why = NULL;

	if (s->action.filter.n > 0)
		why = filter_read(s->action.filter, &s->arena, &filter);
	if (why != NULL) {
		session_refuse(s, "bad_request", why);
		return;
	}
	s->member = NULL;
	if (client_has_presence(s))
		client_make_member(s);
	(void)command_subscribe(s->clients->uses.commands, &s->event.in->id, fill, s,
				on_outcome, s);
}

/* The connection's end, which is near when it is gone, leaves nobody to read the answer. */
static void on_outcome(void *arg, enum err e, const Gatepost__Outcome *o)
{
	struct session *s = arg;

	if (e == ERR_BUSY && o != NULL)
		session_fail(s, &(struct failure){
					"limit",
					"this connection has as many subscriptions as "
					"the namespace allows",
					false});
	else if (e == ERR_NOTFOUND)
		session_fail_later(s, FAILURE_LEFT);
	else if (e != OK)
		session_fail_later(s, "not all brokers have confirmed, retry");
	else if (o->subscribed)
		acknowledge_live(s, o->position);
	else
		read_position(s);
}

/* ---- it was live before ---- */

/* Without a new look at the history: nothing was missed only if the client has all that was delivered. */
static void acknowledge(struct session *s, const struct position *at)
{
	const struct action_position *since = &s->action.since;
	struct frame_head h = session_head(s);
	enum frame_recovered r = RECOVERY_NOT_ASKED;

	if (since->is_there)
		r = span_eq(since->at.epoch, at->epoch) && since->at.offset == at->offset
			    ? RECOVERY_DONE
			    : RECOVERY_FAILED;
	session_ack(s, frame_subscribed(&h, at, r));
}

static void acknowledge_live(struct session *s, const Gatepost__Position *p)
{
	struct position at = {0};

	if (p != NULL && has_history(s))
		at = (struct position){span_from(p->epoch), (int64_t)p->offset};
	acknowledge(s, &at);
}

/* ---- a new one ---- */

static int64_t min(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* What is left of an array's share. */
static int64_t messages_left(const struct session *s)
{
	return RECOVER_MESSAGES - (int64_t)s->missed;
}

static int64_t bytes_left(const struct session *s)
{
	int64_t left = min(LIST_BYTES - (int64_t)s->missed_bytes,
			   SESSION_BYTES - (int64_t)s->bytes);

	return session_is_single(s) ? RECOVER_BYTES : left;
}

static void go_live(struct session *s)
{
	session_activate(s, blob_ref(s->ready), s->activate);
}

static void activate(struct session *s, struct position at,
		     Gatepost__Publication **missed, size_t n,
		     enum frame_recovered recovered)
{
	struct action_activate *a = proto_arena_alloc(&s->arena, sizeof *a);
	struct frame_head h = session_head(s);

	session_forget(s, s->action.channel);
	*a = (struct action_activate){
		.position = {proto_arena_copy(&s->arena, at.epoch), at.offset},
		.missed = missed,
		.n_missed = n,
	};
	s->ready = session_hold(s, frame_subscribed(&h, &a->position, recovered));
	s->activate = a;
	if (client_has_presence(s))
		client_join(s, go_live);
	else
		go_live(s);
}

static void count(struct session *s, enum recovery how)
{
	metric_add(s->clients->recoveries[how], 1);
}

static void read_position(struct session *s)
{
	const struct action_activate *before = session_activated(s, s->action.channel);
	const struct channel_action *a = &s->action;
	struct read_request q = {
		.ns = s->ns,
		.channel = a->channel,
		.until = -1,
		.newest = is_cache(s),
	};

	if (before != NULL) { /* earlier in this message: it goes live with that */
		acknowledge(s, &before->position);
		return;
	}
	if (!has_history(s)) {
		if (a->since.is_there)
			count(s, RECOVERY_NO_HISTORY);
		activate(s, (struct position){0}, NULL, 0,
			 a->since.is_there ? RECOVERY_FAILED : RECOVERY_NOT_ASKED);
		return;
	}
	if (is_cache(s)) {
		q.limit = 1;
	} else if (a->since.is_there) {
		q.after = a->since.at.offset;
		q.limit = RECOVER_MESSAGES;
	}
	q.limit = min(q.limit, messages_left(s));
	q.bytes = bytes_left(s);
	read_channel(s->clients->uses.readers, &q, on_read, s);
}

/* The pending subscription ends with the answer. */
static void drop(struct session *s, const struct failure *f)
{
	session_forget(s, s->action.channel);
	session_drop(s, f);
}

static Gatepost__Tag **tags_of(struct session *s, struct span tail, size_t *n)
{
	struct message_tags found;
	Gatepost__Tag **list;

	message_tags(tail, &found);
	*n = found.n;
	list = proto_arena_alloc(&s->arena, found.n * sizeof(Gatepost__Tag *));
	for (size_t i = 0; i < found.n; i++) {
		struct span key = proto_arena_copy(&s->arena, found.at[i].key);
		struct span value = proto_arena_copy(&s->arena, found.at[i].value);

		list[i] = proto_arena_alloc(&s->arena, sizeof *list[i]);
		gatepost__tag__init(list[i]);
		list[i]->key = (ProtobufCBinaryData){key.n, (uint8_t *)(uintptr_t)key.p};
		list[i]->value =
			(ProtobufCBinaryData){value.n, (uint8_t *)(uintptr_t)value.p};
	}
	message_tags_close(&found);
	return list;
}

static Gatepost__Publication *publication_of(struct session *s,
					     const struct channel_history *h, size_t i)
{
	struct position at = {h->position.epoch, h->first + (int64_t)i};
	struct blob *frame = session_hold(s, message_frame(s->action.channel, at,
							   h->messages[i].time_ms,
							   h->messages[i].message));
	Gatepost__Publication *p = proto_arena_alloc(&s->arena, sizeof *p);

	gatepost__publication__init(p);
	p->offset = (uint64_t)at.offset;
	p->body = (ProtobufCBinaryData){frame->n, frame->p};
	p->tags = tags_of(s, h->messages[i].message, &p->n_tags);
	return p;
}

/* With what was missed, if the answer has room for it. */
static void activate_with(struct session *s, const struct channel_history *h,
			  enum frame_recovered recovered)
{
	static const struct failure full = {
		"limit", "subscribe to this channel in a frame of its own", true};
	Gatepost__Publication **list =
		proto_arena_alloc(&s->arena, h->n * sizeof(Gatepost__Publication *));
	size_t stored = 0, bytes = 0;

	for (size_t i = 0; i < h->n; i++) {
		list[i] = publication_of(s, h, i);
		stored += h->messages[i].message.n;
		bytes += list[i]->body.len;
	}
	if (!session_is_single(s) && s->bytes + bytes > SESSION_BYTES) {
		drop(s, &full);
		return;
	}
	s->missed += h->n;
	s->missed_bytes += stored;
	activate(s, h->position, list, h->n, recovered);
}

/* Why nothing is given, or that all can be: RECOVERY_COMPLETE. */
static enum recovery judge(const struct position *since, const struct channel_history *h)
{
	int64_t behind = h->position.offset - since->offset;

	if (!span_eq(since->epoch, h->position.epoch))
		return RECOVERY_EPOCH;
	if (behind < 0)
		return RECOVERY_AHEAD;
	if (h->base > since->offset)
		return RECOVERY_TRIMMED;
	return behind <= RECOVER_MESSAGES ? RECOVERY_COMPLETE : RECOVERY_LIMIT;
}

/* Everything behind since is here, or nothing is given. */
static void recover_stream(struct session *s, const struct channel_history *h)
{
	static const struct failure full = {
		"limit", "subscribe to this channel in a frame of its own", true};
	const struct position *since = &s->action.since.at;
	enum recovery how = judge(since, h);

	if (how == RECOVERY_COMPLETE &&
	    (int64_t)h->n != h->position.offset - since->offset) {
		if (!session_is_single(s)) { /* alone it may have room */
			drop(s, &full);
			return;
		}
		how = RECOVERY_LIMIT; /* of bytes */
	}
	count(s, how);
	if (how == RECOVERY_COMPLETE)
		activate_with(s, h, RECOVERY_DONE);
	else
		activate(s, h->position, NULL, 0, RECOVERY_FAILED);
}

static void recover_cache(struct session *s, const struct channel_history *h)
{
	const struct position *since = &s->action.since.at;
	bool is_same = span_eq(since->epoch, h->position.epoch) &&
		       since->offset == h->position.offset;

	if (!s->action.since.is_there) {
		activate_with(s, h, RECOVERY_NOT_ASKED);
		return;
	}
	count(s, h->n > 0 || is_same ? RECOVERY_COMPLETE : judge(since, h));
	activate_with(s, h, h->n > 0 || is_same ? RECOVERY_DONE : RECOVERY_FAILED);
}

static void on_read(void *arg, const struct failure *failure,
		    const struct channel_history *h)
{
	struct session *s = arg;

	if (failure != NULL)
		drop(s, failure);
	else if (is_cache(s))
		recover_cache(s, h);
	else if (s->action.since.is_there)
		recover_stream(s, h);
	else
		activate(s, h->position, NULL, 0, RECOVERY_NOT_ASKED);
}

/* ---- unsubscribe ---- */

static void fill_end(void *arg, struct batch *b, Gatepost__Command *to)
{
	const struct session *s = arg;
	Gatepost__Action *action = proto_arena_alloc(&b->arena, sizeof *action);

	gatepost__action__init(action);
	action->body_case = GATEPOST__ACTION__BODY_UNSUBSCRIBE;
	action->unsubscribe = proto_arena_alloc(&b->arena, sizeof *action->unsubscribe);
	gatepost__unsubscribe__init(action->unsubscribe);
	action->unsubscribe->channel = batch_copy(b, s->action.channel);
	to->actions = proto_arena_alloc(&b->arena, sizeof *to->actions);
	to->actions[0] = action;
	to->n_actions = 1;
}

static void on_ended(void *arg, enum err e, const Gatepost__Outcome *o)
{
	struct session *s = arg;
	struct frame_head h = session_head(s);

	(void)o;
	if (e == OK || e == ERR_NOTFOUND)
		session_ack(s, frame_ack(&h));
	else
		session_fail_later(s, "the edge did not answer, retry");
}

/*
 * Alone it is a part of the answer. In an array a later action may subscribe again: the edge must
 * have ended this subscription when it gets that command.
 */
static void end_subscription(struct session *s)
{
	struct frame_head h = session_head(s);

	if (session_is_single(s)) {
		session_unsubscribe(s, frame_ack(&h));
		return;
	}
	session_forget(s, s->action.channel);
	(void)command_apply(s->clients->uses.commands, &s->event.in->id, 0, fill_end, s,
			    on_ended, s);
}

void client_unsubscribe(struct session *s)
{
	if (client_has_presence(s))
		client_leave(s, end_subscription);
	else
		end_subscription(s);
}
