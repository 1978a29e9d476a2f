#include "broker/channels/client/access.h"

#include "base/mem.h"
#include "json/walk.h"

#include <stdlib.h>

static void refuse(struct access *out, const char *why)
{
	out->verdict = ACCESS_REFUSED;
	out->failure = (struct failure){.code = "forbidden", .message = why};
}

/* The text up to the next comma, which is cut off with it. */
static struct span next_of(struct span *list)
{
	const uint8_t *comma = memchr(list->p, ',', list->n);
	size_t n = comma != NULL ? (size_t)(comma - list->p) : list->n;
	struct span one = span_of(list->p, n);

	n += comma != NULL;
	*list = span_of(list->p + n, list->n - n);
	return one;
}

bool access_is_listed(struct span channel, struct span user)
{
	const uint8_t *mark = memchr(channel.p, '#', channel.n);
	struct span list;

	if (mark == NULL)
		return true;
	list = span_of(mark + 1, channel.n - (size_t)(mark + 1 - channel.p));
	while (user.n > 0 && list.n > 0)
		if (span_eq(next_of(&list), user))
			return true;
	return false;
}

/* What is behind the namespace; a channel of the default one has none. */
static struct span part_of(struct span channel)
{
	const uint8_t *colon = memchr(channel.p, ':', channel.n);

	if (colon == NULL)
		return channel;
	return span_of(colon + 1, channel.n - (size_t)(colon + 1 - channel.p));
}

static bool list_has(struct span list, struct span part)
{
	while (list.n > 0) {
		struct span one = span_trim(next_of(&list));

		if (span_is(one, "*") || (part.n > 0 && span_eq(one, part)))
			return true;
	}
	return false;
}

/* A string is a list; of any other kind it is as it is written. */
static bool value_has(const struct json_value *v, struct span part)
{
	uint8_t *room;
	struct span s;
	bool has;

	if (v->kind != JSON_IS_STRING)
		return list_has(v->raw, part);
	room = xmalloc(v->raw.n);
	has = json_unescape(v->raw, room, v->raw.n, &s) == OK && list_has(s, part);
	free(room);
	return has;
}

static bool values_have(const struct json_value *v, struct span part)
{
	struct json_walk w;
	struct json_value of;
	struct span name;

	if (v->kind == JSON_IS_MISSING || v->kind == JSON_IS_NULL ||
	    v->kind == JSON_IS_OBJECT)
		return false;
	if (v->kind != JSON_IS_ARRAY)
		return value_has(v, part);
	w = json_walk(v);
	while (json_walk_next(&w, &name, &of))
		if (of.kind == JSON_IS_STRING && value_has(&of, part))
			return true;
	return false;
}

/* The authorizer's own value, or a claim of the token that it has checked. */
static bool context_allows(const struct access_request *q)
{
	struct json_step steps[] = {{.key = span_str("claims")},
				    {.key = span_str(q->rule->name)}};
	const struct json_path own = {steps + 1, 1}, claim = {steps, 2};
	struct span part = part_of(q->channel);
	struct json_value v = {0};

	if (q->authorizer.n == 0 || json_find(q->authorizer, &own, &v) != OK)
		return false;
	if (v.kind == JSON_IS_MISSING && json_find(q->authorizer, &claim, &v) != OK)
		return false;
	return values_have(&v, part);
}

static void check_token(const struct access_request *q, struct access *out)
{
	struct channel_token t;
	const char *why;

	if (q->tokens == NULL || q->token.n == 0) {
		refuse(out, "token is missing");
		return;
	}
	why = channel_token_check(q->tokens, q->token, q->channel, q->now_ms, &t);
	if (why != NULL) {
		refuse(out, why);
		return;
	}
	out->expires_ms = t.expires_ms;
	out->info = t.info;
}

void access_check(const struct access_request *q, struct access *out)
{
	*out = (struct access){.verdict = ACCESS_ALLOWED};
	if (!access_is_listed(q->channel, q->user)) {
		refuse(out, "this channel is for other users");
		return;
	}
	switch (q->rule->rule) {
	case CHANNEL_ANYONE: break;
	case CHANNEL_AUTHENTICATED:
		if (q->user.n == 0)
			refuse(out, "only authenticated users may do this");
		break;
	case CHANNEL_TOKEN: check_token(q, out); break;
	case CHANNEL_NOBODY: refuse(out, "no client may do this"); break;
	case CHANNEL_CONTEXT:
		if (!context_allows(q))
			refuse(out, "the authorizer does not allow this channel");
		break;
	case CHANNEL_FUNCTION: out->verdict = ACCESS_ASK; break;
	}
}
