#include "tables/store/command.h"

#include <inttypes.h>
#include <string.h>

struct command command_new(struct arena *a, struct tables_store *st, int room)
{
	return (struct command){
		.arena = a,
		.store = st,
		.argv = arena_alloc(a, (size_t)room * sizeof(char *)),
		.lens = arena_alloc(a, (size_t)room * sizeof(size_t)),
		.room = room,
	};
}

static void grow(struct command *c)
{
	size_t n = (size_t)c->n, room = 2 * n + 8;
	const char **argv = arena_alloc(c->arena, room * sizeof *argv);
	size_t *lens = arena_alloc(c->arena, room * sizeof *lens);

	if (n > 0) {
		memcpy(argv, c->argv, n * sizeof *argv);
		memcpy(lens, c->lens, n * sizeof *lens);
	}
	c->argv = argv;
	c->lens = lens;
	c->room = (int)room;
}

void command_span(struct command *c, struct span s)
{
	if (c->n == c->room)
		grow(c);
	c->argv[c->n] = s.n > 0 ? (const char *)s.p : "";
	c->lens[c->n++] = s.n;
}

void command_text(struct command *c, const char *text)
{
	command_span(c, span_str(text));
}

void command_number(struct command *c, int64_t n)
{
	command_text(c, arena_printf(c->arena, "%" PRId64, n));
}

char *command_room(struct command *c)
{
	return arena_alloc(c->arena, TABLE_KEY_TEXT);
}

void command_key(struct command *c, struct span key)
{
	command_span(c, key);
	c->keys++;
}

void command_call(struct command *c, redis_reply_fn *fn, void *arg)
{
	redis_call(c->store->redis, fn, arg, c->n, c->argv, c->lens);
}

void command_eval(struct command *c, const struct redis_script *s, redis_reply_fn *fn,
		  void *arg)
{
	redis_eval(c->store->redis, s, fn, arg,
		   &(struct redis_args){c->keys, c->n, c->argv, c->lens});
}
