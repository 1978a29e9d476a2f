#include "redis/replies.h"

#include <assert.h>
#include <string.h>

enum { KEPT = 4096 }; /* bytes of an arena that is used for the next replies too */

static struct arena *arena_of(const redisReadTask *task)
{
	return *(struct arena **)task->privdata;
}

/* The next element of its array, or the whole reply. */
static redisReply *reply_new(const redisReadTask *task)
{
	redisReply *r = arena_calloc(arena_of(task), 1, sizeof *r);

	r->type = task->type;
	if (task->parent != NULL)
		((redisReply *)task->parent->obj)->element[task->idx] = r;
	return r;
}

static void *create_string(const redisReadTask *task, char *text, size_t n)
{
	redisReply *r = reply_new(task);

	r->str = arena_alloc(arena_of(task), n + 1);
	memcpy(r->str, text, n);
	r->str[n] = '\0';
	r->len = n;
	return r;
}

static void *create_array(const redisReadTask *task, int n)
{
	redisReply *r = reply_new(task);

	r->elements = (size_t)n;
	r->element = arena_calloc(arena_of(task), r->elements, sizeof(redisReply *));
	return r;
}

static void *create_integer(const redisReadTask *task, long long value)
{
	redisReply *r = reply_new(task);

	r->integer = value;
	return r;
}

static void *create_nil(const redisReadTask *task)
{
	redisReply *r = reply_new(task);

	r->type = REDIS_REPLY_NIL; /* the task is of a string or an array */
	return r;
}

redisReader *redis_replies_reader(struct arena **replies)
{
	static redisReplyObjectFunctions functions = {
		.createString = create_string,
		.createArray = create_array,
		.createInteger = create_integer,
		.createNil = create_nil,
	};
	redisReader *reader = redisReaderCreateWithFunctions(&functions);

	assert(reader != NULL);
	if (*replies == NULL)
		*replies = arena_new();
	reader->privdata = replies;
	return reader;
}

void redis_replies_done(struct arena **replies)
{
	if (arena_bytes(*replies) <= KEPT)
		return;
	arena_free(*replies);
	*replies = arena_new();
}
