#include "broker/channels/client/action.h"

#include "json/string.h"
#include "json/walk.h"

/* What a reader works with: the rest of the room, and the action. */
struct reader {
	uint8_t *at;
	struct channel_action *out;
};

typedef const char *read_member(struct reader *r, const struct json_value *v);

static read_member read_id, read_channel_name, read_since, read_until, read_filter,
	read_recover, read_presence, read_batch, read_token, read_data, read_key,
	read_tags, read_version, read_receipt, read_limit, read_reverse, read_cursor;

enum {
	SUBSCRIBES = 1 << VERB_SUBSCRIBE,
	PUBLISHES = 1 << VERB_PUBLISH,
	READS = 1 << VERB_HISTORY,
	LOOKS = 1 << VERB_PRESENCE,
	NAMES = SUBSCRIBES | PUBLISHES | READS | LOOKS | 1 << VERB_UNSUBSCRIBE,
	ALL = NAMES | 1 << VERB_PING,
};

/* id and channel first: an error has them, wherever they stand. */
static const struct member {
	const char *name;
	unsigned of; /* actions that have it */
	read_member *read;
} members[] = {
	{"id", ALL, read_id},
	{"channel", NAMES, read_channel_name},
	{"data", PUBLISHES, read_data},
	{"key", PUBLISHES, read_key},
	{"tags", PUBLISHES, read_tags},
	{"version", PUBLISHES, read_version},
	{"receipt", PUBLISHES, read_receipt},
	{"token", SUBSCRIBES | PUBLISHES, read_token},
	{"since", SUBSCRIBES | READS, read_since},
	{"until", READS, read_until},
	{"filter", SUBSCRIBES, read_filter},
	{"recover", SUBSCRIBES, read_recover},
	{"presence", SUBSCRIBES, read_presence},
	{"batch", SUBSCRIBES, read_batch},
	{"limit", READS | LOOKS, read_limit},
	{"reverse", READS, read_reverse},
	{"cursor", LOOKS, read_cursor},
};

enum { MEMBERS = sizeof members / sizeof *members };

static const char *const verbs[VERBS] = {
	[VERB_SUBSCRIBE] = "subscribe", [VERB_UNSUBSCRIBE] = "unsubscribe",
	[VERB_PUBLISH] = "publish",     [VERB_HISTORY] = "history",
	[VERB_PRESENCE] = "presence",   [VERB_PING] = "ping",
};

const char *channel_verb_name(enum channel_verb verb)
{
	return verbs[verb];
}

bool channel_verb_of(struct span name, enum channel_verb *verb)
{
	for (size_t i = 0; i < VERBS; i++)
		if (span_is(name, verbs[i])) {
			*verb = (enum channel_verb)i;
			return true;
		}
	return false;
}

const char *channel_action_read(struct span text, enum channel_verb verb, uint8_t *room,
				struct channel_action *out)
{
	static const struct json_path whole = {NULL, 0};
	struct json_value v;

	*out = (struct channel_action){.verb = verb, .limit = ACTION_LIMIT};
	if (json_find(text, &whole, &v) != OK)
		return "the message is not JSON";
	return channel_action_of(&v, verb, room, out);
}

/* Of two members of one name the last one counts. */
static void find_members(const struct json_value *object, enum channel_verb verb,
			 struct json_value found[MEMBERS])
{
	struct json_walk w = json_walk(object);
	struct json_value v;
	struct span name;

	while (json_walk_next(&w, &name, &v))
		for (size_t i = 0; i < MEMBERS; i++)
			if ((members[i].of & 1U << verb) != 0 &&
			    json_string_is(name, span_str(members[i].name))) {
				found[i] = v;
				break;
			}
}

const char *channel_action_of(const struct json_value *object, enum channel_verb verb,
			      uint8_t *room, struct channel_action *out)
{
	const char *why = channel_action_members(object, verb, room, out);

	if (why == NULL && verb != VERB_PING && out->channel.n == 0)
		why = "channel is missing";
	if (why == NULL && verb == VERB_PUBLISH && out->data.n == 0)
		why = "data is missing";
	return why;
}

const char *channel_action_members(const struct json_value *object,
				   enum channel_verb verb, uint8_t *room,
				   struct channel_action *out)
{
	struct json_value found[MEMBERS] = {0};
	struct reader r = {room, out};
	const char *why = NULL;

	*out = (struct channel_action){.verb = verb, .limit = ACTION_LIMIT};
	if (object->kind != JSON_IS_OBJECT)
		return "an action is an object";
	find_members(object, verb, found);
	for (size_t i = 0; i < MEMBERS; i++) {
		const char *wrong = NULL;

		/* the channel also after a wrong id */
		if (found[i].kind != JSON_IS_MISSING && (why == NULL || i == 1))
			wrong = members[i].read(&r, &found[i]);
		if (why == NULL)
			why = wrong;
	}
	return why;
}

/* The characters of a string. False: it has half of a surrogate pair. */
static bool read_text(struct reader *r, struct span raw, struct span *out)
{
	if (json_unescape(raw, r->at, raw.n, out) != OK)
		return false;
	if (out->p == r->at)
		r->at += out->n;
	return true;
}

/* A string of 1 to most bytes. */
static bool read_string(struct reader *r, const struct json_value *v, size_t most,
			struct span *out)
{
	struct span s;

	if (v->kind != JSON_IS_STRING || !read_text(r, v->raw, &s) || s.n == 0 ||
	    s.n > most)
		return false;
	*out = s;
	return true;
}

static bool read_flag(const struct json_value *v, bool *out)
{
	*out = v->kind == JSON_IS_TRUE;
	return v->kind == JSON_IS_TRUE || v->kind == JSON_IS_FALSE;
}

/* Digits alone, up to 2^64 - 1. */
static bool read_digits(struct span s, uint64_t *out)
{
	uint64_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		uint64_t digit = s.p[i] - (uint64_t)'0';

		if (s.p[i] < '0' || s.p[i] > '9' || n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*out = n;
	return s.n > 0;
}

/* A whole number from 0, as a number or as text: JavaScript's are exact up to 2^53 alone. */
static bool read_number(const struct json_value *v, uint64_t *out)
{
	if (v->kind == JSON_IS_STRING)
		return read_digits(span_of(v->raw.p + 1, v->raw.n - 2), out);
	return v->kind == JSON_IS_NUMBER && read_digits(v->raw, out);
}

/* Both parts, and an offset that a channel can have. */
static bool read_position(struct reader *r, const struct json_value *v,
			  struct action_position *out)
{
	struct json_walk w;
	struct json_value of;
	struct span name;
	bool has_epoch = false, has_offset = false;
	uint64_t offset = 0;

	if (v->kind != JSON_IS_OBJECT)
		return false;
	w = json_walk(v);
	while (json_walk_next(&w, &name, &of))
		if (json_string_is(name, span_str("epoch")))
			has_epoch = read_string(r, &of, SIZE_MAX, &out->at.epoch);
		else if (json_string_is(name, span_str("offset")))
			has_offset = read_number(&of, &offset) && offset <= INT64_MAX;
	out->at.offset = (int64_t)offset;
	out->is_there = has_epoch && has_offset;
	return out->is_there;
}

static const char *read_id(struct reader *r, const struct json_value *v)
{
	if (v->kind != JSON_IS_STRING && v->kind != JSON_IS_NUMBER)
		return "id is not a string or a number";
	if (v->raw.n > ACTION_ID_MOST)
		return "id has more than 128 bytes";
	r->out->id = v->raw;
	return NULL;
}

static const char *read_channel_name(struct reader *r, const struct json_value *v)
{
	if (!read_string(r, v, CHANNEL_NAME_MAX, &r->out->channel))
		return "channel is not a string of 1 to 255 bytes";
	return NULL;
}

static const char *read_since(struct reader *r, const struct json_value *v)
{
	if (!read_position(r, v, &r->out->since))
		return "since is not an object with epoch and offset";
	return NULL;
}

static const char *read_until(struct reader *r, const struct json_value *v)
{
	if (!read_position(r, v, &r->out->until))
		return "until is not an object with epoch and offset";
	return NULL;
}

static const char *read_filter(struct reader *r, const struct json_value *v)
{
	if (v->kind != JSON_IS_OBJECT)
		return "filter is not an object";
	r->out->filter = v->raw;
	return NULL;
}

static const char *read_recover(struct reader *r, const struct json_value *v)
{
	struct span s;

	if (!read_string(r, v, SIZE_MAX, &s) ||
	    (!span_is(s, "stream") && !span_is(s, "cache")))
		return "recover is not \"stream\" or \"cache\"";
	r->out->has_recover = true;
	r->out->recover = span_is(s, "cache") ? CHANNEL_CACHE : CHANNEL_STREAM;
	return NULL;
}

static const char *read_presence(struct reader *r, const struct json_value *v)
{
	return read_flag(v, &r->out->presence) ? NULL : "presence is not true or false";
}

static const char *read_batch(struct reader *r, const struct json_value *v)
{
	return read_flag(v, &r->out->batch) ? NULL : "batch is not true or false";
}

static const char *read_token(struct reader *r, const struct json_value *v)
{
	return read_string(r, v, SIZE_MAX, &r->out->token) ? NULL
							   : "token is not a string";
}

static const char *read_data(struct reader *r, const struct json_value *v)
{
	r->out->data = v->raw;
	return NULL;
}

static const char *read_key(struct reader *r, const struct json_value *v)
{
	if (!read_string(r, v, ACTION_KEY_MOST, &r->out->key))
		return "key is not a string of 1 to 255 bytes";
	return NULL;
}

static struct channel_tag *tag_of(struct channel_action *a, struct span key)
{
	for (size_t i = 0; i < a->n_tags; i++)
		if (span_eq(a->tags[i].key, key))
			return &a->tags[i];
	return a->n_tags < CHANNEL_TAGS ? &a->tags[a->n_tags++] : NULL;
}

static const char *read_tags(struct reader *r, const struct json_value *v)
{
	struct json_walk w;
	struct json_value of;
	struct span name;

	if (v->kind != JSON_IS_OBJECT)
		return "tags is not an object of strings";
	w = json_walk(v);
	while (json_walk_next(&w, &name, &of)) {
		struct channel_tag t = {0}, *to;

		if (of.kind != JSON_IS_STRING)
			return "tags is not an object of strings";
		if (!read_text(r, name, &t.key) || !read_text(r, of.raw, &t.value) ||
		    t.key.n > ACTION_TAG_MOST || t.value.n > ACTION_TAG_MOST)
			return "tags has a key or a value of more than 256 bytes, or "
			       "one that is not text";
		to = tag_of(r->out, t.key);
		if (to == NULL)
			return "tags has more than 16 members";
		*to = t;
	}
	return NULL;
}

static const char *read_version(struct reader *r, const struct json_value *v)
{
	r->out->has_version = read_number(v, &r->out->version);
	return r->out->has_version ? NULL
				   : "version is not a whole number from 0 to 2^64 - 1";
}

static const char *read_receipt(struct reader *r, const struct json_value *v)
{
	return read_flag(v, &r->out->receipt) ? NULL : "receipt is not true or false";
}

static const char *read_limit(struct reader *r, const struct json_value *v)
{
	uint64_t limit;

	if (v->kind != JSON_IS_NUMBER || !read_number(v, &limit) ||
	    limit > ACTION_LIMIT_MOST)
		return "limit is not a whole number from 0 to 1000";
	r->out->limit = (int64_t)limit;
	return NULL;
}

static const char *read_reverse(struct reader *r, const struct json_value *v)
{
	return read_flag(v, &r->out->reverse) ? NULL : "reverse is not true or false";
}

static const char *read_cursor(struct reader *r, const struct json_value *v)
{
	if (!read_string(r, v, SIZE_MAX, &r->out->cursor))
		return "cursor is not a string";
	return NULL;
}

const char *channel_action_named(struct span name, enum channel_verb verb, uint8_t *room,
				 struct channel_action *out)
{
	struct json_value v = {JSON_IS_STRING, name};

	*out = (struct channel_action){.verb = verb, .limit = ACTION_LIMIT};
	return read_channel_name(&(struct reader){room, out}, &v);
}
