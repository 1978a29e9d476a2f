#include "broker/channels/client/client_presence.h"

#include "broker/channels/presence/presence.h"
#include "broker/channels/client/session.h"

static void on_page(void *arg, const struct failure *failure,
		    const struct presence_page *page);
static void on_joined(void *arg, const struct failure *failure);
static void on_left(void *arg, const struct failure *failure);

bool client_has_presence(const struct session *s)
{
	return s->ns->presence.members;
}

void client_presence(struct session *s)
{
	const struct channel_action *a = &s->action;

	if (client_has_presence(s))
		presence_read(s->clients->uses.presence, a->channel, a->cursor, a->limit,
			      on_page, s);
	else
		session_refuse(s, "not_available", "this channel has no presence");
}

static void on_page(void *arg, const struct failure *failure,
		    const struct presence_page *page)
{
	struct session *s = arg;
	struct frame_head h = session_head(s);

	if (failure != NULL)
		session_fail(s, failure);
	else
		session_ack_page(s, frame_presence(&h, page));
}

/* The token's claim comes before what the authorizer says. */
static struct span info_of(const struct session *s)
{
	static const struct json_step step = {.key = {(const uint8_t *)"info", 4}};
	static const struct json_path path = {&step, 1};
	struct json_value v;

	if (s->info != NULL)
		return span_str(s->info);
	if (s->context == NULL || s->context->authorizer.len == 0 ||
	    json_find(span_from(s->context->authorizer), &path, &v) != OK)
		return (struct span){0};
	return v.raw;
}

void client_make_member(struct session *s)
{
	s->member = session_hold(
		s, presence_member(&s->event.in->id, session_user(s), info_of(s)));
}

void client_join(struct session *s, void (*fn)(struct session *s))
{
	s->then = fn;
	presence_join(s->clients->uses.presence, s->action.channel, &s->event.in->id,
		      session_user(s), blob_span(s->member), on_joined, s);
}

static void on_joined(void *arg, const struct failure *failure)
{
	struct session *s = arg;

	if (failure != NULL)
		session_drop(s, failure);
	else
		s->then(s);
}

void client_leave(struct session *s, void (*fn)(struct session *s))
{
	s->then = fn;
	presence_leave(s->clients->uses.presence, s->action.channel, &s->event.in->id,
		       on_left, s);
}

static void on_left(void *arg, const struct failure *failure)
{
	struct session *s = arg;

	if (failure != NULL)
		session_fail(s, failure);
	else
		s->then(s);
}
