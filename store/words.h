#ifndef STORE_WORDS_H
#define STORE_WORDS_H

/*
 * The words of one command or script, put together one by one; no other module includes it.
 *
 *   struct words w = {.store = st};
 *
 *   words_key(&w, keys_lease, number);
 *   words_text(&w, boot);
 *   words_eval(&w, &script_lease_renew, fn, arg);
 *
 * Each word is copied. The last call sends them, and frees what they were in.
 */

#include "base/span.h"
#include "store/ask.h"

#include <stdint.h>

struct words {
	struct store *store;
	char *bytes; /* one word after the other */
	size_t n_bytes, room_bytes;
	size_t *lens;
	size_t n, room;
	int keys;
};

/* Keys come first: one of an edge, or one of {m}, both from keys.h. */
typedef const char *words_edge_key_fn(const char *prefix, uint16_t edge, char *out);
typedef const char *words_shared_key_fn(const char *prefix, char *out);
void words_key(struct words *w, words_edge_key_fn *key, uint16_t edge);
void words_shared_key(struct words *w, words_shared_key_fn *key);

/* Or one of a channel: {prefix}{channel}:what, with what follows behind it. */
void words_channel_key(struct words *w, struct span channel, const char *what,
		       struct span follows);

void words_text(struct words *w, const char *text);
void words_span(struct words *w, struct span s);
void words_number(struct words *w, int64_t v);

/* Behind the last word, as a part of it. */
void words_extend(struct words *w, struct span s);

/* n words of another one, from its word first on. */
void words_copy(struct words *w, const struct words *from, size_t first, size_t n);

/* The word with this index; it lives until the next one is added. */
struct span words_at(const struct words *w, size_t i);

/* Of a scan: the cursor, and about how many at a time. */
void words_scan(struct words *w, uint64_t cursor, int most);

/* As redis_eval and redis_call; for the latter, name is the command, such as HDEL. */
void words_eval(struct words *w, const struct redis_script *s, redis_reply_fn *fn,
		void *arg);
void words_call(struct words *w, const char *name, redis_reply_fn *fn, void *arg);

/* Frees what the words are in, when none of these was called. */
void words_close(struct words *w);

#endif
