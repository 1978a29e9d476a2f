#include "cli/up/table.h"

#include "base/mem.h"
#include "store/keys.h"
#include "redis/url.h"

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct table {
	redisContext *redis;
	const char *prefix;
};

/* Look at one row; true ends the walk. */
typedef bool row_fn(void *arg, const redisReply *id, const redisReply *row);

static redisContext *connect_to(const struct redis_url *u);
static bool introduce(redisContext *r, const struct redis_url *u);
static enum err walk(struct table *t, row_fn *fn, void *arg);
static enum err walk_edge(struct table *t, uint16_t edge, row_fn *fn, void *arg,
			  bool *done);

struct table *table_open(const char *url, const char *prefix)
{
	struct redis_url u;
	char why[200];

	if (redis_url_parse(url, &u, why, sizeof why) != OK)
		return NULL;

	redisContext *r = connect_to(&u);
	if (r == NULL || r->err || !introduce(r, &u)) {
		if (r)
			redisFree(r);
		return NULL;
	}
	struct table *t = xcalloc(1, sizeof *t);
	*t = (struct table){.redis = r, .prefix = prefix};
	return t;
}

static redisContext *connect_to(const struct redis_url *u)
{
	struct timeval notice = {.tv_sec = 5};
	redisContext *r = u->path[0] ? redisConnectUnixWithTimeout(u->path, notice)
				     : redisConnectWithTimeout(u->host, u->port, notice);

	if (r && !r->err)
		redisSetTimeout(r, notice);
	return r;
}

static bool is_ok(redisReply *reply)
{
	bool ok = reply && reply->type == REDIS_REPLY_STATUS;

	if (reply)
		freeReplyObject(reply);
	return ok;
}

static bool introduce(redisContext *r, const struct redis_url *u)
{
	if (u->password[0] && u->user[0] &&
	    !is_ok(redisCommand(r, "AUTH %s %s", u->user, u->password)))
		return false;
	if (u->password[0] && !u->user[0] &&
	    !is_ok(redisCommand(r, "AUTH %s", u->password)))
		return false;
	return u->db == 0 || is_ok(redisCommand(r, "SELECT %u", (unsigned)u->db));
}

void table_close(struct table *t)
{
	if (t == NULL)
		return;
	redisFree(t->redis);
	free(t);
}

/* All rows of all edges, until fn has seen enough. */
static enum err walk(struct table *t, row_fn *fn, void *arg)
{
	char key[KEYS_TEXT];
	redisReply *edges =
		redisCommand(t->redis, "SMEMBERS %s", keys_edges(t->prefix, key));
	enum err e = edges && edges->type == REDIS_REPLY_ARRAY ? OK : ERR_DOWN;
	bool done = false;

	for (size_t i = 0; e == OK && !done && i < edges->elements; i++) {
		uint16_t edge = (uint16_t)strtoul(edges->element[i]->str, NULL, 10);

		e = walk_edge(t, edge, fn, arg, &done);
	}
	if (edges)
		freeReplyObject(edges);
	return e;
}

static enum err walk_edge(struct table *t, uint16_t edge, row_fn *fn, void *arg,
			  bool *done)
{
	char key[KEYS_TEXT];
	redisReply *rows = redisCommand(t->redis, "HGETALL %s",
					keys_connections(t->prefix, edge, key));
	enum err e = rows && rows->type == REDIS_REPLY_ARRAY ? OK : ERR_DOWN;

	for (size_t i = 0; e == OK && !*done && i + 1 < rows->elements; i += 2)
		*done = fn(arg, rows->element[i], rows->element[i + 1]);
	if (rows)
		freeReplyObject(rows);
	return e;
}

static bool count_row(void *arg, const redisReply *id, const redisReply *row)
{
	int64_t *n = arg;

	(void)id;
	(void)row;
	(*n)++;
	return false;
}

enum err table_count(struct table *t, int64_t *out)
{
	*out = 0;
	return walk(t, count_row, out);
}

struct search {
	const char *mark;
	char *id;
	char *row;
};

static bool match_row(void *arg, const redisReply *id, const redisReply *row)
{
	struct search *s = arg;

	if (strstr(row->str, s->mark) == NULL)
		return false;
	snprintf(s->id, TABLE_ID, "%s", id->str);
	s->row = xstrdup(row->str);
	return true;
}

enum err table_find(struct table *t, const char *mark, char id[TABLE_ID], char **row)
{
	struct search s = {.mark = mark, .id = id};
	enum err e = walk(t, match_row, &s);

	*row = s.row;
	return e == OK && s.row == NULL ? ERR_NOTFOUND : e;
}
