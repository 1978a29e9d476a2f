#include "store/user_rate.h"

#include "store/scripts.h"
#include "store/words.h"

#include <hiredis/hiredis.h>

struct asked_rate {
	struct ask ask;
	int64_t per_second;
	store_rate_fn *fn;
	void *arg;
};

static void on_count(void *arg, enum err e, const redisReply *reply)
{
	struct asked_rate *a = arg;

	a->fn(a->arg, e, e == OK && reply->integer <= a->per_second);
	ask_free(a);
}

void store_user_rate(struct store *st, struct span user, struct span name,
		     int64_t per_second, store_rate_fn *fn, void *arg)
{
	struct asked_rate *a = ask_new(st, sizeof *a);
	struct words w = {.store = st};

	a->per_second = per_second;
	a->fn = fn;
	a->arg = arg;
	words_channel_key(&w, user, "rate:", name);
	words_eval(&w, &script_user_rate, on_count, a);
}
