#include "tests/unit/tables_store/fixture.h"

#include "tables/value/value_json.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <hiredis/hiredis.h>
#include <stdarg.h>
#include <stdio.h>

enum { PATIENCE_MS = 20000 };

struct tables_fixture fixture;

static const struct json_path whole = {NULL, 0};

static void on_guard(void *arg)
{
	(void)arg;
	cr_fatal("nobody has stopped the loop for 20 s");
}

static void on_up(void *arg)
{
	(void)arg;
	loop_stop(fixture.loop);
}

void tables_fixture_init(void)
{
	redis_server_start(&fixture.server);
	fixture.loop = loop_new();
	fixture.arena = arena_new();
	fixture.guard = timer_new(fixture.loop, on_guard, NULL);
	fixture.store =
		tables_store_new(fixture.loop,
				 &(struct tables_store_conf){.redis = fixture.server.url,
							     .prefix = "t:",
							     .timeout_ms = 2000,
							     .max_in_flight = 1000},
				 NULL);
	cr_assert(fixture.store != NULL);
	redis_on_up(fixture.store->redis, on_up, NULL);
	tables_fixture_run();
}

void tables_fixture_fini(void)
{
	tables_store_free(fixture.store);
	arena_free(fixture.arena);
	timer_free(fixture.guard);
	loop_free(fixture.loop);
	redis_server_stop(&fixture.server);
}

void tables_fixture_run(void)
{
	timer_after(fixture.guard, PATIENCE_MS);
	loop_run(fixture.loop);
	timer_stop(fixture.guard);
}

static void on_time(void *arg)
{
	(void)arg;
	loop_stop(fixture.loop);
}

void tables_fixture_wait(int64_t ms)
{
	struct timer *t = timer_new(fixture.loop, on_time, NULL);

	timer_after(t, ms);
	tables_fixture_run();
	timer_free(t);
}

const char *tables_fixture_redis(const char *fmt, ...)
{
	static char text[8192];
	redisContext *c = redisConnectUnix(fixture.server.socket);
	redisReply *r;
	va_list ap;

	cr_assert(c != NULL && c->err == 0);
	va_start(ap, fmt);
	r = redisvCommand(c, fmt, ap);
	va_end(ap);
	cr_assert(r != NULL);
	if (r->type == REDIS_REPLY_INTEGER)
		snprintf(text, sizeof text, "%lld", r->integer);
	else if (r->type == REDIS_REPLY_ARRAY)
		snprintf(text, sizeof text, "%zu", r->elements);
	else
		snprintf(text, sizeof text, "%s", r->str ? r->str : "(nil)");
	freeReplyObject(r);
	redisFree(c);
	return text;
}

void tables_fixture_on_done(void *arg, enum err e)
{
	*(enum err *)arg = e;
	loop_stop(fixture.loop);
}

static struct json_value read_json(const char *text)
{
	struct json_value v;
	struct span own = arena_copy(fixture.arena, span_str(text));

	cr_assert(json_find(own, &whole, &v) == OK, "%s", text);
	return v;
}

struct table *tables_fixture_table(const char *definition)
{
	struct json_value v = read_json(definition);
	struct refusal no = {NULL, ""};
	struct fields f;
	struct table *t;
	enum err e;

	cr_assert(fields_read(fixture.arena, &v, &f, &no) == OK, "%s", no.message);
	cr_assert(schema_read(&f, &t, &no) == OK, "%s", no.message);
	catalog_create(fixture.store, fixture.arena, t, tables_fixture_on_done, &e);
	tables_fixture_run();
	cr_assert(eq(int, e, OK));
	return t;
}

struct value_map tables_fixture_item(const char *json)
{
	struct json_value v = read_json(json);
	struct refusal no = {NULL, ""};
	struct value_map m;

	cr_assert(value_read_map(fixture.arena, &v, &m, &no) == OK, "%s", no.message);
	return m;
}

static void on_got(void *arg, enum err e, const struct item *item)
{
	struct got *g = arg;

	*g = (struct got){e, *item};
	g->item.json = arena_copy(fixture.arena, item->json);
	loop_stop(fixture.loop);
}

struct got tables_fixture_get(const struct table *t, const char *key)
{
	struct value_map m = tables_fixture_item(key);
	struct item_place place = place_of_item(fixture.arena, t, &m);
	struct got g;

	items_get(fixture.store, fixture.arena, &place, on_got, &g);
	tables_fixture_run();
	return g;
}

static void on_wrote(void *arg, enum items_outcome outcome, enum err e, size_t part,
		     const struct item *now)
{
	struct wrote *w = arg;

	*w = (struct wrote){outcome, e, part, *now};
	w->now.json = arena_copy(fixture.arena, now->json);
	loop_stop(fixture.loop);
}

struct wrote tables_fixture_write(const struct items_write *w)
{
	struct wrote done;

	items_write(fixture.store, fixture.arena, w, on_wrote, &done);
	tables_fixture_run();
	return done;
}

struct wrote tables_fixture_put(const struct table *t, const char *json,
				const struct item *old)
{
	struct value_map m = tables_fixture_item(json);
	struct item_change changes[TABLE_INDEXES_MOST];
	struct item_write w = {.place = place_of_item(fixture.arena, t, &m),
			       .kind = ITEM_PUT,
			       .expiry = item_expiry(t, &m),
			       .changes = changes};
	struct blob *blob = item_blob(fixture.store, &m, item_size(&m), w.expiry);
	struct wrote done;

	if (old != NULL)
		w.old = *old;
	w.blob = blob_span(blob);
	for (size_t i = 0; i < t->n_indexes; i++) {
		struct item_change *c = &changes[w.n_changes];

		c->index = &t->indexes[i];
		c->is_added = true;
		w.n_changes +=
			place_entry(fixture.arena, c->index, &m, w.place.key, &c->entry);
	}
	done = tables_fixture_write(&(struct items_write){.parts = &w, .n = 1});
	blob_unref(blob);
	return done;
}
