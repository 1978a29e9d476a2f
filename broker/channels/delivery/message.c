#include "broker/channels/delivery/message.h"

#include "json/walk.h"
#include "json/write.h"

enum {
	TAIL_ROOM = 64, /* around the data */
	FRAME_ROOM = 160,
};

static void add_tags(struct json_out *o, const struct publication *q)
{
	json_out_key(o, "tags");
	json_out_raw(o, "{");
	for (size_t i = 0; i < q->n_tags; i++) {
		if (i > 0)
			json_out_raw(o, ",");
		json_out_string(o, q->tags[i].key);
		json_out_raw(o, ":");
		json_out_string(o, q->tags[i].value);
	}
	json_out_raw(o, "}");
}

struct blob *message_tail(const struct publication *q)
{
	struct json_out o;

	json_out_init(&o, q->data.n * (q->is_binary ? 2 : 1) + q->user.n + TAIL_ROOM);
	json_out_raw(&o, "{");
	json_out_key(&o, q->is_binary ? "data64" : "data");
	if (q->is_binary)
		json_out_base64(&o, q->data);
	else
		json_out_span(&o, q->data);
	if (q->n_tags > 0)
		add_tags(&o, q);
	if (q->user.n > 0) {
		json_out_key(&o, "user");
		json_out_string(&o, q->user);
	}
	json_out_raw(&o, "}");
	return json_out_end(&o);
}

struct blob *message_frame(struct span channel, struct position position, int64_t time_ms,
			   struct span tail)
{
	struct json_out o;

	json_out_init(&o, tail.n + channel.n + position.epoch.n + FRAME_ROOM);
	json_out_raw(&o, "{\"type\":\"message\"");
	json_out_key(&o, "channel");
	json_out_string(&o, channel);
	if (position.epoch.n > 0) {
		json_out_key(&o, "offset");
		json_out_number(&o, position.offset);
		json_out_key(&o, "epoch");
		json_out_string(&o, position.epoch);
	}
	json_out_key(&o, "time");
	json_out_number(&o, time_ms);
	if (tail.n > 2) { /* without its first brace */
		json_out_raw(&o, ",");
		json_out_span(&o, span_of(tail.p + 1, tail.n - 1));
	} else {
		json_out_raw(&o, "}");
	}
	return json_out_end(&o);
}

struct blob *message_raw(const struct publication *q)
{
	struct blob *b;
	struct span text;

	if (q->is_binary ||
	    json_kind_of(q->data.n > 0 ? *q->data.p : 0) != JSON_IS_STRING)
		return blob_new(q->data);
	b = blob_alloc(q->data.n);
	json_unescape_lenient(q->data, b->p, &text);
	memmove(b->p, text.p, text.n);
	b->n = text.n;
	return b;
}

/* ---- tags ---- */

/* A copy of s behind what t has already. */
static struct span keep(struct message_tags *t, size_t *at, struct span s)
{
	uint8_t *to = t->text->p + *at;

	if (s.n > 0)
		memcpy(to, s.p, s.n);
	*at += s.n;
	return span_of(to, s.n);
}

void message_tags_of(const struct publication *q, struct message_tags *out)
{
	size_t n = 0;

	*out = (struct message_tags){.n = q->n_tags};
	for (size_t i = 0; i < q->n_tags; i++)
		n += q->tags[i].key.n + q->tags[i].value.n;
	if (q->n_tags == 0)
		return;
	out->text = blob_alloc(n);
	n = 0;
	for (size_t i = 0; i < q->n_tags; i++) {
		out->at[i].key = keep(out, &n, q->tags[i].key);
		out->at[i].value = keep(out, &n, q->tags[i].value);
	}
}

/* The characters of a string as written, in the memory of t. */
static struct span unescape(struct message_tags *t, size_t *at, struct span raw)
{
	struct span text;

	json_unescape_lenient(raw, t->text->p + *at, &text);
	if (text.p != t->text->p + *at)
		return keep(t, at, text);
	*at += text.n;
	return text;
}

void message_tags(struct span tail, struct message_tags *out)
{
	struct json_step step = {.key = span_str("tags")};
	struct json_value tags, v;
	struct json_walk walk;
	struct span name;
	size_t at = 0;

	*out = (struct message_tags){.n = 0};
	if (json_find(tail, &(struct json_path){&step, 1}, &tags) != OK ||
	    tags.kind != JSON_IS_OBJECT)
		return;
	walk = json_walk(&tags);
	out->text = blob_alloc(tags.raw.n); /* unescaped it is shorter */
	while (out->n < CHANNEL_TAGS && json_walk_next(&walk, &name, &v)) {
		if (v.kind != JSON_IS_STRING)
			continue;
		out->at[out->n].key = unescape(out, &at, name);
		out->at[out->n++].value = unescape(out, &at, v.raw);
	}
}

void message_tags_close(struct message_tags *t)
{
	blob_unref(t->text);
	*t = (struct message_tags){.n = 0};
}
