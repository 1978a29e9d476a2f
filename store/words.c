#include "store/words.h"

#include "base/mem.h"
#include "store/keys.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void words_extend(struct words *w, struct span s)
{
	if (w->room_bytes - w->n_bytes < s.n || w->bytes == NULL) {
		w->room_bytes = 2 * (w->n_bytes + s.n) + 256;
		w->bytes = xrealloc(w->bytes, w->room_bytes);
	}
	if (s.n > 0)
		memcpy(w->bytes + w->n_bytes, s.p, s.n);
	w->n_bytes += s.n;
	w->lens[w->n - 1] += s.n;
}

void words_span(struct words *w, struct span s)
{
	if (w->n == w->room) {
		w->room = w->room == 0 ? 16 : 2 * w->room;
		w->lens = xrealloc(w->lens, w->room * sizeof *w->lens);
	}
	w->lens[w->n++] = 0;
	words_extend(w, s);
}

void words_text(struct words *w, const char *text)
{
	words_span(w, span_str(text));
}

void words_number(struct words *w, int64_t v)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRId64, v);
	words_text(w, text);
}

void words_scan(struct words *w, uint64_t cursor, int most)
{
	char text[24];

	snprintf(text, sizeof text, "%" PRIu64, cursor);
	words_text(w, text);
	words_text(w, "COUNT");
	words_number(w, most);
}

void words_key(struct words *w, words_edge_key_fn *key, uint16_t edge)
{
	char text[KEYS_TEXT];

	words_text(w, key(w->store->prefix, edge, text));
	w->keys++;
}

void words_shared_key(struct words *w, words_shared_key_fn *key)
{
	char text[KEYS_TEXT];

	words_text(w, key(w->store->prefix, text));
	w->keys++;
}

void words_channel_key(struct words *w, struct span channel, const char *what,
		       struct span follows)
{
	char text[KEYS_CHANNEL_TEXT];
	size_t n = keys_channel(w->store->prefix, channel, what, follows, text);

	words_span(w, span_of(text, n));
	w->keys++;
}

static size_t offset_of(const struct words *w, size_t i)
{
	size_t at = 0;

	for (size_t k = 0; k < i; k++)
		at += w->lens[k];
	return at;
}

struct span words_at(const struct words *w, size_t i)
{
	return span_of(w->bytes + offset_of(w, i), w->lens[i]);
}

void words_copy(struct words *w, const struct words *from, size_t first, size_t n)
{
	const char *at = from->bytes + offset_of(from, first);

	for (size_t i = first; i < first + n; i++) {
		words_span(w, span_of(at, from->lens[i]));
		at += from->lens[i];
	}
}

/* Where each word is, with `before` places free in front of them. */
static const char **argv_of(const struct words *w, size_t before)
{
	const char **at = xcalloc(before + w->n, sizeof *at);
	const char *p = w->bytes;

	for (size_t i = 0; i < w->n; i++) {
		at[before + i] = p;
		p += w->lens[i];
	}
	return at;
}

void words_close(struct words *w)
{
	free(w->bytes);
	free(w->lens);
	*w = (struct words){.store = w->store};
}

void words_eval(struct words *w, const struct redis_script *s, redis_reply_fn *fn,
		void *arg)
{
	const char **argv = argv_of(w, 0);

	redis_eval(w->store->redis, s, fn, arg,
		   &(struct redis_args){w->keys, (int)w->n, argv, w->lens});
	free(argv);
	words_close(w);
}

void words_call(struct words *w, const char *name, redis_reply_fn *fn, void *arg)
{
	const char **argv = argv_of(w, 1);
	size_t *lens = xcalloc(w->n + 1, sizeof *lens);

	argv[0] = name;
	lens[0] = strlen(name);
	memcpy(lens + 1, w->lens, w->n * sizeof *lens);
	redis_call(w->store->redis, fn, arg, (int)w->n + 1, argv, lens);
	free(lens);
	free(argv);
	words_close(w);
}
