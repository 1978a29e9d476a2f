#include "broker/api/channel_order.h"

#include "base/base64.h"
#include "base/mem.h"
#include "broker/channels/client/action.h"
#include "json/string.h"
#include "json/walk.h"

#include <stdlib.h>

/* Members that clients' actions do not have. */
struct extra {
	struct json_value data64, user;
};

static void find_extra(const struct json_value *v, struct extra *out)
{
	struct json_walk w = json_walk(v);
	struct json_value of;
	struct span name;

	while (json_walk_next(&w, &name, &of))
		if (json_string_is(name, span_str("data64")))
			out->data64 = of;
		else if (json_string_is(name, span_str("user")))
			out->user = of;
}

/* at: room, which moves. */
static const char *read_user(const struct json_value *v, uint8_t **at, struct span *out)
{
	if (v->kind == JSON_IS_MISSING || v->kind == JSON_IS_NULL)
		return NULL;
	if (v->kind != JSON_IS_STRING ||
	    json_unescape(v->raw, *at, v->raw.n, out) != OK || out->n == 0 ||
	    out->n > CHANNEL_USER_MOST)
		return "user is not a string of 1 to 1024 bytes";
	*at += v->raw.n;
	return NULL;
}

static const char *read_data64(const struct json_value *v, uint8_t **at, struct span *out)
{
	size_t n;

	if (v->kind != JSON_IS_STRING ||
	    json_unescape(v->raw, *at, v->raw.n, out) != OK ||
	    base64_decode(*out, *at, &n) != OK)
		return "data64 is not a string of base64";
	*out = span_of(*at, n);
	return NULL;
}

static void copy_action(const struct channel_action *a, struct channel_order *out)
{
	out->channel = a->channel;
	out->publication = (struct publication){
		.data = a->data,
		.key = a->key,
		.n_tags = a->n_tags,
		.has_version = a->has_version,
		.version = a->version,
		.receipt = a->receipt,
	};
	memcpy(out->publication.tags, a->tags, sizeof a->tags);
}

const char *channel_order_read(const struct json_value *v, struct channel_order *out)
{
	struct channel_action a;
	struct extra extra = {0};
	const char *why;
	uint8_t *at;

	*out = (struct channel_order){0};
	if (v->kind != JSON_IS_OBJECT)
		return "a message is not an object";
	at = out->text = xmalloc(2 * v->raw.n);
	why = channel_action_members(v, VERB_PUBLISH, at, &a);
	copy_action(&a, out);
	at += v->raw.n;
	find_extra(v, &extra);
	if (why == NULL)
		why = read_user(&extra.user, &at, &out->publication.user);
	out->publication.is_binary = extra.data64.kind != JSON_IS_MISSING;
	if (why == NULL && out->publication.is_binary == (a.data.n > 0))
		why = "give one of data (JSON) and data64 (bytes in base64)";
	if (why == NULL && out->publication.is_binary)
		why = read_data64(&extra.data64, &at, &out->publication.data);
	return why;
}

void channel_order_close(struct channel_order *o)
{
	free(o->text);
}
