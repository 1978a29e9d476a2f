#include "proto/link.h"

#include "base/log.h"
#include "proto/envelope.h"

#include <assert.h>

static const char *const state_names[] = {
	[LINK_CONNECTING] = "connecting",
	[LINK_GREETING] = "greeting",
	[LINK_UP] = "up",
	[LINK_DOWN] = "down",
};

static const unsigned allowed[] = {
	[LINK_CONNECTING] = 1u << LINK_GREETING | 1u << LINK_DOWN,
	[LINK_GREETING] = 1u << LINK_UP | 1u << LINK_DOWN,
	[LINK_UP] = 1u << LINK_DOWN,
	[LINK_DOWN] = 0,
};

static enum err send_batch(struct link *l, int64_t now);

bool window_has_credit(const struct window *w)
{
	return w->used_items < w->items && w->used_bytes < w->bytes;
}

void window_spend(struct window *w, uint64_t bytes)
{
	w->used_items++;
	w->used_bytes += bytes;
}

void window_refill(struct window *w, uint64_t items, uint64_t bytes)
{
	w->used_items -= items < w->used_items ? items : w->used_items;
	w->used_bytes -= bytes < w->used_bytes ? bytes : w->used_bytes;
}

void link_init(struct link *l, struct zsock *z, struct span to, struct link_timing t,
	       int64_t now)
{
	*l = (struct link){.z = z, .timing = t, .heard_ms = now, .sent_ms = now};
	assert(to.n <= sizeof l->to);
	if (to.n > 0)
		memcpy(l->to, to.p, to.n);
	l->to_n = to.n;
	batch_init(&l->out);
}

void link_close(struct link *l)
{
	batch_close(&l->out);
}

void link_set_state(struct link *l, enum link_state next)
{
	assert(allowed[l->state] & 1u << next);
	log_debug("link.state", S("peer", l->peer), S("from", state_names[l->state]),
		  S("to", state_names[next]));
	l->state = next;
}

void link_heard(struct link *l, int64_t now)
{
	l->heard_ms = now;
}

bool link_is_silent(const struct link *l, int64_t now)
{
	return now - l->heard_ms > l->timing.silence_ms;
}

void *link_add(struct link *l, Gatepost__Item__BodyCase what,
	       const ProtobufCMessageDescriptor *d)
{
	if (batch_is_full(&l->out) && l->broken == OK)
		l->broken = send_batch(l, l->sent_ms);
	return batch_add(&l->out, what, d);
}

enum err link_flush(struct link *l, int64_t now)
{
	bool due = now - l->sent_ms >= l->timing.heartbeat_ms;
	bool credit = l->taken_items - l->told_items > 64;

	if (l->broken != OK)
		return l->broken;
	if (l->state == LINK_DOWN || l->state == LINK_CONNECTING)
		return OK;
	if (l->out.n == 0 && !due && !credit)
		return OK;
	return send_batch(l, now);
}

static enum err send_batch(struct link *l, int64_t now)
{
	Gatepost__Envelope head = GATEPOST__ENVELOPE__INIT;
	zmq_msg_t m;

	head.version = LINK_VERSION;
	if (l->taken_items != l->told_items) {
		head.taken_items = l->taken_items;
		head.taken_bytes = l->taken_bytes;
		l->told_items = l->taken_items;
	}
	l->sent_ms = now;
	batch_pack(&l->out, &head, &m);
	return zsock_send(l->z, span_of(l->to, l->to_n), &m);
}
