#include "edge/channels/text.h"

#include "json/write.h"
#include "ws/frame.h"

#include <assert.h>

/* Beside the names in it. */
enum { ROOM = 256 };

const char *text_reason(enum text_reason why)
{
	static const char *const names[] = {
		[TEXT_TRIMMED] = "trimmed",
		[TEXT_EPOCH] = "epoch",
		[TEXT_SLOW] = "slow",
		[TEXT_LOST] = "lost",
	};

	return names[why];
}

static struct blob *framed(struct json_out *o)
{
	struct blob *text = json_out_end(o);
	struct blob *frame = frame_blob(FRAME_TEXT, blob_span(text));

	blob_unref(text);
	return frame;
}

static void begin(struct json_out *o, const char *type, struct span channel)
{
	json_out_init(o, ROOM + 2 * channel.n);
	json_out_raw(o, "{\"type\":\"");
	json_out_raw(o, type);
	json_out_raw(o, "\",\"channel\":");
	json_out_string(o, channel);
}

struct blob *text_reset(struct span channel, struct span epoch, uint64_t offset,
			enum text_reason why)
{
	struct json_out o;

	begin(&o, "reset", channel);
	if (epoch.n > 0) {
		json_out_raw(&o, ",\"epoch\":");
		json_out_string(&o, epoch);
		json_out_raw(&o, ",\"offset\":");
		json_out_number(&o, (int64_t)offset);
	}
	json_out_raw(&o, ",\"recovered\":false,\"reason\":\"");
	json_out_raw(&o, text_reason(why));
	json_out_raw(&o, "\"}");
	return framed(&o);
}

struct blob *text_unsubscribed(struct span channel, struct span reason)
{
	struct json_out o;

	begin(&o, "unsubscribed", channel);
	json_out_raw(&o, ",\"reason\":");
	json_out_string(&o, reason);
	json_out_raw(&o, "}");
	return framed(&o);
}

static void write_names(struct json_out *o, const char *key,
			const struct text_names *names)
{
	json_out_raw(o, key);
	for (size_t i = 0; i < names->n; i++) {
		if (i > 0)
			json_out_raw(o, ",");
		json_out_span(o, blob_span(names->of[i]));
	}
	json_out_raw(o, "]");
}

struct blob *text_presence(struct span channel, const struct text_names *joined,
			   const struct text_names *left, uint64_t connections,
			   uint64_t users)
{
	struct json_out o;

	begin(&o, "presence", channel);
	if (joined != NULL) {
		write_names(&o, ",\"joined\":[", joined);
		write_names(&o, ",\"left\":[", left);
	}
	json_out_raw(&o, ",\"connections\":");
	json_out_number(&o, (int64_t)connections);
	json_out_raw(&o, ",\"users\":");
	json_out_number(&o, (int64_t)users);
	json_out_raw(&o, "}");
	return framed(&o);
}

/* A server's frame has no mask: what is behind its head. */
static struct span payload_of(const struct blob *frame)
{
	struct span all = blob_span(frame);
	struct frame f;
	enum err e = frame_parse_server(all, &f);

	assert(e == OK);
	return e == OK ? span_of(all.p + f.header, all.n - f.header) : span_of(NULL, 0);
}

struct blob *text_array(struct blob *const *frames, size_t n)
{
	struct json_out o;
	size_t room = 2;

	for (size_t i = 0; i < n; i++)
		room += frames[i]->n;
	json_out_init(&o, room);
	for (size_t i = 0; i < n; i++) {
		json_out_raw(&o, i == 0 ? "[" : ",");
		json_out_span(&o, payload_of(frames[i]));
	}
	json_out_raw(&o, "]");
	return framed(&o);
}
