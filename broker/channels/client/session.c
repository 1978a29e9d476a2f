#include "broker/channels/client/session.h"

#include "base/mem.h"

#include <stdlib.h>

bool session_is_single(const struct session *s)
{
	return s->n_todos == 1;
}

struct frame_head session_head(const struct session *s)
{
	struct span id = s->action.id.n > 0 ? s->action.id : s->event.id;

	return (struct frame_head){id, s->action.channel};
}

struct span session_user(const struct session *s)
{
	return s->context != NULL ? span_of(s->context->user.data, s->context->user.len)
				  : (struct span){0};
}

static void add(struct session *s, struct action a)
{
	if (s->n_actions == s->room_actions) {
		s->room_actions = s->room_actions ? 2 * s->room_actions : 4;
		s->actions = xrealloc(s->actions, s->room_actions * sizeof *s->actions);
	}
	s->actions[s->n_actions++] = a;
}

struct blob *session_hold(struct session *s, struct blob *b)
{
	if (s->n_held == s->room_held) {
		s->room_held = s->room_held ? 2 * s->room_held : 4;
		s->held = xrealloc(s->held, s->room_held * sizeof(struct blob *));
	}
	return s->held[s->n_held++] = b;
}

static void add_frame(struct session *s, struct blob *frame)
{
	session_hold(s, frame);
	s->bytes += frame->n;
	add(s, (struct action){.kind = ACTION_FRAME, .body = blob_span(frame)});
}

/* The next action of the event, unless one is being begun: then that goes on by itself. */
static void end_action(struct session *s)
{
	s->is_waiting = false;
	if (!s->is_running)
		s->run(s);
}

void session_ack(struct session *s, struct blob *frame)
{
	add_frame(s, frame);
	end_action(s);
}

void session_ack_page(struct session *s, struct blob *frame)
{
	static const struct failure full = {
		"limit", "this answer is too large: ask in a frame of its own", true};

	if (session_is_single(s) || s->bytes + frame->n <= SESSION_BYTES) {
		session_ack(s, frame);
		return;
	}
	blob_unref(frame);
	session_fail(s, &full);
}

void session_activate(struct session *s, struct blob *frame,
		      const struct action_activate *a)
{
	add_frame(s, frame);
	add(s, (struct action){.kind = ACTION_ACTIVATE,
			       .channel = s->action.channel,
			       .activate = a});
	for (size_t i = 0; i < a->n_missed; i++)
		s->bytes += a->missed[i]->body.len;
	end_action(s);
}

void session_unsubscribe(struct session *s, struct blob *frame)
{
	add(s, (struct action){.kind = ACTION_UNSUBSCRIBE, .channel = s->action.channel});
	add_frame(s, frame);
	end_action(s);
}

void session_fail(struct session *s, const struct failure *f)
{
	struct frame_head h = session_head(s);

	metric_add(s->clients->errors, 1);
	if (!s->has_failed)
		s->failure = *f;
	s->has_failed = true;
	session_ack(s, frame_error(&h, f));
}

void session_drop(struct session *s, const struct failure *f)
{
	add(s, (struct action){.kind = ACTION_UNSUBSCRIBE, .channel = s->action.channel});
	session_fail(s, f);
}

void session_refuse(struct session *s, const char *code, const char *why)
{
	session_fail(s, &(struct failure){.code = code, .message = why});
}

void session_fail_later(struct session *s, const char *why)
{
	session_fail(s, &(struct failure){"unavailable", why, true});
}

static bool is_of(const struct action *a, enum action_kind kind, struct span channel)
{
	return a->kind == kind && span_eq(a->channel, channel);
}

const struct action_activate *session_activated(const struct session *s,
						struct span channel)
{
	for (size_t i = s->n_actions; i > 0; i--)
		if (is_of(&s->actions[i - 1], ACTION_ACTIVATE, channel))
			return s->actions[i - 1].activate;
	return NULL;
}

void session_forget(struct session *s, struct span channel)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n_actions; i++)
		if (!is_of(&s->actions[i], ACTION_ACTIVATE, channel) &&
		    !is_of(&s->actions[i], ACTION_UNSUBSCRIBE, channel))
			s->actions[kept++] = s->actions[i];
	s->n_actions = kept;
}

void session_free(struct session *s)
{
	LIST_REMOVE(s, next);
	if (s->context != NULL)
		gatepost__context__free_unpacked(s->context, NULL);
	for (size_t i = 0; i < s->n_held; i++)
		blob_unref(s->held[i]);
	free(s->held);
	free(s->actions);
	free(s->todos);
	free(s->room);
	blob_unref(s->data);
	free(s->info);
	proto_arena_close(&s->arena);
	free(s);
}
