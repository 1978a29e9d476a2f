#ifndef TABLES_COMMAND_H
#define TABLES_COMMAND_H

/*
 * The words of one command or script, put together one by one in an arena; no other
 * module includes it. What is added is not copied: it lives until the command is sent.
 *
 *   struct command c = command_new(a, st, 8);
 *
 *   command_key(&c, table_key_items(st->prefix, id, shard, command_room(&c)));
 *   command_span(&c, key);
 *   command_eval(&c, &script_item_put, on_put, arg);
 */

#include "base/arena.h"
#include "redis/redis.h"
#include "tables/store/keys.h"
#include "tables/store/store.h"

struct command {
	struct arena *arena;
	struct tables_store *store;
	const char **argv;
	size_t *lens;
	int n, room, keys;
};

/* room: words to begin with; it grows. */
struct command command_new(struct arena *a, struct tables_store *st, int room);

void command_span(struct command *c, struct span s);
void command_text(struct command *c, const char *text); /* not copied either */
void command_number(struct command *c, int64_t n);

/* Room for the text of a key. */
char *command_room(struct command *c);

/* Keys come first. */
void command_key(struct command *c, struct span key);

/* Send it. fn as of redis_call; what arg points to stands until then. */
void command_call(struct command *c, redis_reply_fn *fn, void *arg);
void command_eval(struct command *c, const struct redis_script *s, redis_reply_fn *fn,
		  void *arg);

#endif
