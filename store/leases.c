#include "store/leases.h"

#include "base/mem.h"
#include "store/edges.h"
#include "store/keys.h"
#include "store/scripts.h"
#include "store/words.h"

#include <hiredis/hiredis.h>
#include <string.h>
#include <xxhash.h>

enum {
	TRIES_MOST = 64
}; /* with 30,000 edges, 64 candidates are all taken once in 10^21 times */

struct taking {
	struct ask ask;
	store_lease_fn *fn;
	void *arg;
	int64_t ttl_ms;
	uint16_t wanted, number;
	bool sure;
	unsigned tries;
	char boot[];
};

static void take_next(struct taking *t);
static void on_take(void *arg, enum err e, const redisReply *reply);

/* ---- take ---- */

void store_lease_acquire(struct store *st, const char *boot, uint16_t wanted,
			 int64_t ttl_ms, bool sure, store_lease_fn *fn, void *arg)
{
	size_t n = strlen(boot);
	struct taking *t = ask_new(st, sizeof *t + n + 1);

	t->fn = fn;
	t->arg = arg;
	t->ttl_ms = ttl_ms;
	t->wanted = wanted;
	t->sure = sure || wanted == 0;
	memcpy(t->boot, boot, n);
	take_next(t);
}

/* A boot id always tries the same numbers in the same order, whoever asks for it. */
static uint16_t candidate(const struct taking *t)
{
	uint64_t h = XXH3_64bits_withSeed(t->boot, strlen(t->boot), t->tries);

	return t->wanted != 0 ? t->wanted : (uint16_t)(h % UINT16_MAX + 1);
}

static void take_next(struct taking *t)
{
	struct words w = {.store = t->ask.store};

	t->number = candidate(t);
	t->tries++;
	edges_note(w.store,
		   t->number); /* before it is held: no held one is ever unknown */
	words_key(&w, keys_lease, t->number);
	words_key(&w, keys_owner, t->number);
	words_key(&w, keys_connections, t->number);
	words_key(&w, keys_presence, t->number);
	words_text(&w, t->boot);
	words_number(&w, t->ttl_ms);
	words_number(&w, t->sure);
	words_eval(&w, &script_lease_take, on_take, t);
}

static void on_take(void *arg, enum err e, const redisReply *reply)
{
	struct taking *t = arg;

	if (e == OK)
		e = ask_word(reply);
	if (e == ERR_NOTFOUND) /* given up */
		e = ERR_DENIED;
	if (e == ERR_DENIED && t->wanted == 0) {
		if (t->tries < TRIES_MOST) {
			take_next(t);
			return;
		}
		e = ERR_NOTFOUND;
	}
	t->fn(t->arg, e, e == OK ? t->number : 0);
	ask_free(t);
}

/* ---- renew ---- */

void store_lease_renew(struct store *st, uint16_t number, const char *boot,
		       int64_t ttl_ms, store_done_fn *fn, void *arg)
{
	struct words w = {.store = st};

	words_key(&w, keys_lease, number);
	words_key(&w, keys_owner, number);
	words_text(&w, boot);
	words_number(&w, ttl_ms);
	words_eval(&w, &script_lease_renew, ask_on_word, ask_done_new(st, fn, arg));
	/* Redis may have lost it, or a reaper have forgotten it just now. Behind the lease:
	 * an edge that lives must not be on the list without one. */
	edges_note(st, number);
}
