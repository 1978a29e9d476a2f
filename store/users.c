#include "store/users.h"

#include "base/mem.h"
#include "store/reply.h"
#include "store/words.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>

enum { IDS_AT_ONCE = 500 };

struct asked_user {
	struct ask ask;
	store_user_fn *fn;
	void *arg;
};

bool users_may_be(struct span user)
{
	return user.n > 0 && user.n <= USER_NAME_MAX;
}

static void on_nothing(void *arg, enum err e)
{
	(void)arg;
	(void)e;
}

void store_user_remove(struct store *st, struct span user, struct span id,
		       store_done_fn *fn, void *arg)
{
	struct words w = {.store = st};

	words_channel_key(&w, user, "ids", (struct span){0});
	words_span(&w, id);
	words_call(&w, "SREM", ask_on_said, ask_done_new(st, fn ? fn : on_nothing, arg));
}

static void pass_ids(struct asked_user *a, const redisReply *all, uint64_t next)
{
	struct span *ids = reply_texts(all);

	a->fn(a->arg, OK, ids, all->elements, next);
	free(ids);
}

static void on_scanned(void *arg, enum err e, const redisReply *reply)
{
	struct asked_user *a = arg;

	const redisReply *found;
	uint64_t next;

	if (e == OK)
		e = reply_scan(reply, &found, &next);
	if (e == OK)
		pass_ids(a, found, next);
	else
		a->fn(a->arg, e, NULL, 0, 0);
	ask_free(a);
}

void store_user_scan(struct store *st, struct span user, uint64_t cursor,
		     store_user_fn *fn, void *arg)
{
	struct asked_user *a = ask_new(st, sizeof *a);
	struct words w = {.store = st};

	a->fn = fn;
	a->arg = arg;
	words_channel_key(&w, user, "ids", (struct span){0});
	words_scan(&w, cursor, IDS_AT_ONCE);
	words_call(&w, "SSCAN", on_scanned, a);
}
