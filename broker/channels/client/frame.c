#include "broker/channels/client/frame.h"

#include "json/write.h"

enum { ROOM = 192 };

static void put_text(struct json_out *o, const char *name, struct span text)
{
	json_out_key(o, name);
	json_out_string(o, text);
}

static void put_number(struct json_out *o, const char *name, int64_t n)
{
	json_out_key(o, name);
	json_out_number(o, n);
}

static void put_flag(struct json_out *o, const char *name, bool flag)
{
	json_out_key(o, name);
	json_out_raw(o, flag ? "true" : "false");
}

static void open_frame(struct json_out *o, const char *type, const struct frame_head *h,
		       size_t room)
{
	json_out_init(o, ROOM + h->id.n + h->channel.n + room);
	json_out_raw(o, "{");
	put_text(o, "type", span_str(type));
	if (h->id.n > 0) {
		json_out_key(o, "id");
		json_out_span(o, h->id);
	}
	if (h->channel.n > 0)
		put_text(o, "channel", h->channel);
}

static struct blob *close_frame(struct json_out *o)
{
	json_out_raw(o, "}");
	return json_out_end(o);
}

static void put_position(struct json_out *o, const struct position *at)
{
	if (at->epoch.n == 0)
		return;
	put_text(o, "epoch", at->epoch);
	put_number(o, "offset", at->offset);
}

struct blob *frame_error(const struct frame_head *h, const struct failure *f)
{
	struct json_out o;

	open_frame(&o, "error", h, strlen(f->message));
	put_text(&o, "code", span_str(f->code));
	put_text(&o, "message", span_str(f->message));
	put_flag(&o, "retryable", f->retryable);
	return close_frame(&o);
}

struct blob *frame_ack(const struct frame_head *h)
{
	struct json_out o;

	open_frame(&o, "ack", h, 0);
	return close_frame(&o);
}

struct blob *frame_subscribed(const struct frame_head *h, const struct position *at,
			      enum frame_recovered recovered)
{
	struct json_out o;

	open_frame(&o, "ack", h, 0);
	put_position(&o, at);
	if (recovered != RECOVERY_NOT_ASKED)
		put_flag(&o, "recovered", recovered == RECOVERY_DONE);
	return close_frame(&o);
}

struct blob *frame_published(const struct frame_head *h, const struct published *p,
			     bool receipt)
{
	struct json_out o;

	open_frame(&o, "ack", h, 0);
	put_position(&o, &p->position);
	if (p->duplicate)
		put_flag(&o, "duplicate", true);
	if (p->suppressed)
		put_flag(&o, "suppressed", true);
	if (receipt) {
		put_number(&o, "edges", p->edges);
		put_number(&o, "connections", p->connections);
	}
	return close_frame(&o);
}

struct blob *frame_history(const struct frame_head *h, const struct frame_history *all)
{
	struct json_out o;
	size_t room = 0;

	for (size_t i = 0; i < all->n; i++)
		room += all->messages[i]->n + 1;
	open_frame(&o, "ack", h, room);
	put_position(&o, &all->at);
	json_out_key(&o, "messages");
	json_out_raw(&o, "[");
	for (size_t i = 0; i < all->n; i++) {
		if (i > 0)
			json_out_raw(&o, ",");
		json_out_span(&o, blob_span(all->messages[i]));
	}
	json_out_raw(&o, "]");
	if (all->next.epoch.n > 0) {
		json_out_key(&o, "next");
		json_out_raw(&o, "{");
		put_position(&o, &all->next);
		json_out_raw(&o, "}");
	}
	return close_frame(&o);
}

struct blob *frame_presence(const struct frame_head *h, const struct presence_page *page)
{
	struct json_out o;
	size_t room = 0;

	for (size_t i = 0; i < page->n; i++)
		room += page->members[i].n + 1;
	open_frame(&o, "ack", h, room);
	put_number(&o, "connections", page->connections);
	put_number(&o, "users", page->users);
	json_out_key(&o, "members");
	json_out_raw(&o, "[");
	for (size_t i = 0; i < page->n; i++) {
		if (i > 0)
			json_out_raw(&o, ",");
		json_out_span(&o, page->members[i]);
	}
	json_out_raw(&o, "]");
	if (page->next.n > 0)
		put_text(&o, "next", page->next);
	return close_frame(&o);
}

struct blob *frame_pong(const struct frame_head *h, int64_t time_ms)
{
	struct json_out o;

	open_frame(&o, "ack", h, 0);
	put_number(&o, "time", time_ms);
	return close_frame(&o);
}
