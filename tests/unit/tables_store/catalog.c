#include "tables/store/catalog.h"

#include "tests/unit/tables_store/fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

TestSuite(catalog, .init = tables_fixture_init, .fini = tables_fixture_fini,
	  .timeout = 60);

#define DEFINITION(name)                                                                 \
	"{\"TableName\":\"" name "\",\"KeySchema\":[{\"AttributeName\":\"id\","          \
	"\"KeyType\":\"HASH\"}],\"AttributeDefinitions\":[{\"AttributeName\":\"id\","    \
	"\"AttributeType\":\"S\"}]}"

#define redis(...) ((char *)(uintptr_t)tables_fixture_redis(__VA_ARGS__))

struct loaded {
	enum err e;
	struct table *table; /* one reference */
};

static void on_loaded(void *arg, enum err e, struct table *t)
{
	*(struct loaded *)arg = (struct loaded){e, t ? table_ref(t) : NULL};
	loop_stop(fixture.loop);
}

static struct loaded load(const char *name)
{
	struct loaded l;

	catalog_load(fixture.store, fixture.arena, span_str(name), on_loaded, &l);
	tables_fixture_run();
	return l;
}

static enum err change(struct table *next)
{
	enum err e;

	catalog_change(fixture.store, fixture.arena, next, NULL, tables_fixture_on_done,
		       &e);
	tables_fixture_run();
	return e;
}

Test(catalog, table_is_found_as_it_was_made)
{
	struct table *t = tables_fixture_table(DEFINITION("rooms"));
	struct loaded l;

	catalog_forget_all(fixture.store);
	cr_assert(catalog_find(fixture.store, span_str("rooms")) == NULL);
	l = load("rooms");
	cr_assert(eq(int, l.e, OK));
	cr_assert(eq(str, l.table->id, t->id));
	cr_assert(eq(str, l.table->uuid, t->uuid));
	cr_assert(schema_same_keys(&l.table->keys, &t->keys));
	cr_assert(catalog_find(fixture.store, span_str("rooms")) == l.table);
	cr_assert(eq(int, load("none").e, ERR_NOTFOUND));
	table_unref(l.table);
	table_unref(t);
}

Test(catalog, name_is_taken_once)
{
	struct table *t = tables_fixture_table(DEFINITION("rooms")), *other = table_new();
	enum err e;

	other->name = span_str("rooms");
	other->keys = t->keys;
	catalog_create(fixture.store, fixture.arena, other, tables_fixture_on_done, &e);
	tables_fixture_run();
	cr_assert(eq(int, e, ERR_CLAIMED));
	cr_assert(eq(str, redis("HEXISTS t:{t}:dropped %s", other->id), "1"));
	table_unref(other);
	table_unref(t);
}

Test(catalog, change_of_what_another_has_changed_is_refused)
{
	struct table *t = tables_fixture_table(DEFINITION("rooms"));
	struct table *mine = table_change(t), *yours = table_change(t);

	cr_assert(eq(int, change(yours), OK));
	cr_assert(eq(int, change(mine), ERR_CLAIMED));
	cr_assert(eq(str, redis("HGET t:{%s:7}:items %b", t->id, "", (size_t)0), "2"));
	table_unref(mine);
	table_unref(yours);
	table_unref(t);
}

Test(catalog, deleted_table_takes_no_write_of_those_who_still_know_it)
{
	struct table *t = tables_fixture_table(DEFINITION("rooms"));
	enum err e;

	table_ref(t);
	catalog_delete(fixture.store, fixture.arena, t, tables_fixture_on_done, &e);
	tables_fixture_run();
	cr_assert(eq(int, e, OK));
	cr_assert(eq(int, tables_fixture_put(t, "{\"id\":{\"S\":\"a\"}}", NULL).outcome,
		     ITEMS_STALE));
	cr_assert(eq(int, load("rooms").e, ERR_NOTFOUND));
	cr_assert(eq(str, redis("KEYS t:{%s:*", t->id), "0"));
	catalog_delete(fixture.store, fixture.arena, t, tables_fixture_on_done, &e);
	tables_fixture_run();
	cr_assert(eq(int, e, ERR_NOTFOUND));
	table_unref(t);
	table_unref(t);
}

Test(catalog, damaged_definition_is_told)
{
	redis("HSET t:{t}:tables broken {}");
	cr_assert(eq(int, load("broken").e, ERR_MALFORMED));
	redis("HSET t:{t}:tables broken nothing");
	cr_assert(eq(int, load("broken").e, ERR_MALFORMED));
}

static void on_names(void *arg, enum err e, const struct span *names, size_t n)
{
	char *text = arg;

	cr_assert(eq(int, e, OK));
	for (size_t i = 0; i < n; i++)
		sprintf(text + strlen(text), "%.*s ", SPAN_ARG(names[i]));
	loop_stop(fixture.loop);
}

Test(catalog, names_are_listed_in_their_order)
{
	char text[256] = "";

	table_unref(tables_fixture_table(DEFINITION("rooms")));
	table_unref(tables_fixture_table(DEFINITION("Rooms")));
	table_unref(tables_fixture_table(DEFINITION("players")));
	catalog_list(fixture.store, fixture.arena, on_names, text);
	tables_fixture_run();
	cr_assert(eq(str, text, "Rooms players rooms "));
}
