/* In place of store/presence.c: questions that are never answered. */
#include "store/presence.h"

void store_presence_join(struct store *st, struct span channel,
			 const struct presence_member *m, store_presence_fn *fn,
			 void *arg)
{
	(void)st;
	(void)channel;
	(void)m;
	(void)fn;
	(void)arg;
}

void store_presence_leave(struct store *st, struct span channel, uint16_t edge,
			  struct span connection, int64_t grace_ms, store_presence_fn *fn,
			  void *arg)
{
	(void)st;
	(void)channel;
	(void)edge;
	(void)connection;
	(void)grace_ms;
	(void)fn;
	(void)arg;
}

void store_presence_expire(struct store *st, struct span channel, store_presence_fn *fn,
			   void *arg)
{
	(void)st;
	(void)channel;
	(void)fn;
	(void)arg;
}

void store_presence_reap(struct store *st, struct span channel, uint16_t edge,
			 store_presence_fn *fn, void *arg)
{
	(void)st;
	(void)channel;
	(void)edge;
	(void)fn;
	(void)arg;
}

void store_presence_read(struct store *st, struct span channel, struct span after,
			 int64_t most, store_presence_page_fn *fn, void *arg)
{
	(void)st;
	(void)channel;
	(void)after;
	(void)most;
	(void)fn;
	(void)arg;
}

void store_presence_list(struct store *st, uint16_t edge, int64_t from,
			 store_presence_names_fn *fn, void *arg)
{
	(void)st;
	(void)edge;
	(void)from;
	(void)fn;
	(void)arg;
}

void store_presence_ids(struct store *st, struct span channel, uint16_t edge,
			struct span after, store_presence_names_fn *fn, void *arg)
{
	(void)st;
	(void)channel;
	(void)edge;
	(void)after;
	(void)fn;
	(void)arg;
}

void store_presence_unlist(struct store *st, uint16_t edge, struct span channel,
			   store_done_fn *fn, void *arg)
{
	(void)st;
	(void)edge;
	(void)channel;
	(void)fn;
	(void)arg;
}

void store_presence_claim(struct store *st, int64_t claim_ms, store_presence_due_fn *fn,
			  void *arg)
{
	(void)st;
	(void)claim_ms;
	(void)fn;
	(void)arg;
}

void store_presence_done(struct store *st, const struct presence_due *due, int64_t due_ms,
			 store_done_fn *fn, void *arg)
{
	(void)st;
	(void)due;
	(void)due_ms;
	(void)fn;
	(void)arg;
}
