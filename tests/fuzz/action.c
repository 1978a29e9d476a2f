/*
 * A client's action on a channel and its filter: the same bytes as each action, and as a filter. Whatever
 * they are, what is read lies where it may and is within its bounds, and a filter is one that an edge takes.
 */
#include "broker/channels/client/action.h"
#include "broker/channels/client/filter.h"
#include "proto/envelope.h"

#include <stdlib.h>

static void check(bool holds)
{
	if (!holds)
		abort();
}

static size_t letters(struct span s)
{
	size_t sum = 0;

	for (size_t i = 0; i < s.n; i++)
		sum += s.p[i];
	return sum;
}

static void check_action(struct span text, enum channel_verb verb, uint8_t *room)
{
	struct channel_action a;
	const char *why = channel_action_read(text, verb, room, &a);
	size_t sum = letters(a.id) + letters(a.channel); /* each byte is read */

	check(a.id.n <= ACTION_ID_MOST && a.channel.n <= CHANNEL_NAME_MAX);
	if (why != NULL)
		return;
	check((verb == VERB_PING) == (a.channel.n == 0));
	check(a.n_tags <= CHANNEL_TAGS && a.key.n <= ACTION_KEY_MOST);
	check(a.limit >= 0 && a.limit <= ACTION_LIMIT_MOST);
	check(a.since.at.offset >= 0 && a.until.at.offset >= 0);
	for (size_t i = 0; i < a.n_tags; i++)
		sum += letters(a.tags[i].key) + letters(a.tags[i].value);
	sum += letters(a.data) + letters(a.key) + letters(a.token) + letters(a.cursor) +
	       letters(a.filter) + letters(a.since.at.epoch) + letters(a.until.at.epoch);
	check(sum < SIZE_MAX);
}

static void check_filter(struct span text)
{
	struct proto_arena arena;
	struct filter f;

	proto_arena_init(&arena);
	if (filter_read(text, &arena, &f) == NULL)
		check(f.n > 0 && f.n <= FILTER_NODES && envelope_filter_ok(f.nodes, f.n));
	proto_arena_close(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span text = span_of(n ? p : (const uint8_t *)"", n);

	for (enum channel_verb verb = VERB_SUBSCRIBE; verb <= VERB_PING; verb++) {
		uint8_t *room = malloc(n + 1);

		check_action(text, verb, room);
		free(room);
	}
	check_filter(text);
	return 0;
}
