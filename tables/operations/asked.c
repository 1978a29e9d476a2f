#include "tables/operations/asked.h"

#include "json/walk.h"
#include "tables/value/value_json.h"

#include <stdlib.h>

/* A parameter of today, and what it was before. */
static const struct kind {
	unsigned kind;
	const char *now, *before[2];
} all[] = {
	{ASKED_CONDITION, "ConditionExpression", {"Expected", NULL}},
	{ASKED_UPDATE, "UpdateExpression", {"AttributeUpdates", NULL}},
	{ASKED_PROJECTION, "ProjectionExpression", {"AttributesToGet", NULL}},
	{ASKED_FILTER, "FilterExpression", {"QueryFilter", "ScanFilter"}},
	{ASKED_KEY, "KeyConditionExpression", {"KeyConditions", NULL}},
};

enum { KINDS = sizeof all / sizeof *all };

static int by_name(const void *a, const void *b)
{
	return span_compare(((const struct value_member *)a)->name,
			    ((const struct value_member *)b)->name);
}

/* {"#name": "attribute"} as a map of strings. */
static enum err read_names(struct arena *a, const struct json_value *v,
			   struct value_map *out, struct refusal *no)
{
	size_t n = json_count(v), i = 0;
	struct value_member *members = arena_calloc(a, n, sizeof *members);
	struct json_walk w = json_walk(v);
	struct json_value one;
	struct span raw;
	enum err e = OK;

	for (; e == OK && json_walk_next(&w, &raw, &one); i++) {
		e = fields_unescape(a, raw, &members[i].name, no);
		members[i].value.type = VALUE_S;
		if (e == OK && one.kind != JSON_IS_STRING)
			e = fields_refuse_type(a, no, "ExpressionAttributeNames",
					       "an object of strings");
		if (e == OK)
			e = fields_unescape(a, one.raw, &members[i].value.bytes, no);
	}
	if (e != OK)
		return e;
	if (n > 0)
		qsort(members, n, sizeof *members, by_name);
	for (i = 1; i < n; i++)
		if (span_eq(members[i - 1].name, members[i].name))
			return refuse(a, no,
				      "ExpressionAttributeNames has a name twice: %.*s",
				      SPAN_ARG(members[i].name));
	*out = (struct value_map){members, n};
	return OK;
}

static enum err read_placeholders(struct arena *a, const struct fields *f,
				  struct placeholders **out, struct refusal *no)
{
	const struct json_value *n, *v;
	struct value_map *names = arena_alloc(a, sizeof *names);
	struct value_map *values = arena_alloc(a, sizeof *values);
	enum err e = fields_object(f, "ExpressionAttributeNames", &n, no);

	if (e == OK && n != NULL)
		e = read_names(a, n, names, no);
	if (e == OK)
		e = fields_object(f, "ExpressionAttributeValues", &v, no);
	if (e == OK && v != NULL)
		e = value_read_map(a, v, values, no);
	if (e == OK)
		e = placeholders_new(a, n ? names : NULL, v ? values : NULL, out, no);
	return e;
}

static const char *append_name(struct arena *a, const char *list, const char *name)
{
	return list ? arena_printf(a, "%s, %s", list, name) : name;
}

/* Either those of today, or those from before. */
static enum err check_mixed(struct arena *a, const struct fields *f, unsigned kinds,
			    struct refusal *no)
{
	const char *now = NULL, *before = NULL;

	for (size_t i = 0; i < KINDS; i++) {
		if (fields_find(f, all[i].now) != NULL && (kinds & all[i].kind))
			now = append_name(a, now, all[i].now);
		for (size_t k = 0; k < 2; k++)
			if (all[i].before[k] != NULL && (kinds & all[i].kind) &&
			    fields_find(f, all[i].before[k]) != NULL)
				before = append_name(a, before, all[i].before[k]);
	}
	if (fields_find(f, "ConditionalOperator") != NULL)
		before = append_name(a, before, "ConditionalOperator");
	if (now == NULL || before == NULL)
		return OK;
	return refuse(
		a, no,
		"Can not use both expression and non-expression parameters in the same "
		"request: Non-expression parameters: {%s} Expression parameters: {%s}",
		before, now);
}

static enum err read_one(struct arena *a, const struct kind *k, struct span text,
			 struct placeholders *p, struct asked *out, struct refusal *no)
{
	switch (k->kind) {
	case ASKED_CONDITION:
		return condition_parse(a, k->now, text, p, &out->condition, no);
	case ASKED_UPDATE: return update_parse(a, text, p, &out->update, no);
	case ASKED_PROJECTION: return projection_parse(a, text, p, &out->projection, no);
	case ASKED_FILTER: return condition_parse(a, k->now, text, p, &out->filter, no);
	default: return key_condition_read(a, text, p, &out->key, no);
	}
}

static enum err read_connective(const struct fields *f, bool is_alone, struct span *out,
				struct refusal *no)
{
	static const char *const words[] = {"AND", "OR", NULL};
	int at = 0;
	enum err e = fields_word(f, "ConditionalOperator", words, &at, no);

	if (e == OK)
		e = fields_text(f, "ConditionalOperator", out, no);
	if (e == OK && out->p != NULL && is_alone)
		return refuse(f->arena, no,
			      "ConditionalOperator cannot be used without Filter or "
			      "Expected");
	return e;
}

static enum err read_before(struct arena *a, const struct fields *f, unsigned kinds,
			    struct asked *out, struct refusal *no)
{
	const struct json_value *expected = NULL, *filter = NULL, *update = NULL,
				*attributes = NULL;
	struct span connective;
	enum err e = OK;

	if (kinds & ASKED_CONDITION)
		e = fields_object(f, "Expected", &expected, no);
	if (e == OK && (kinds & ASKED_FILTER))
		e = fields_object(f, kinds & ASKED_KEY ? "QueryFilter" : "ScanFilter",
				  &filter, no);
	if (e == OK && (kinds & ASKED_UPDATE))
		e = fields_object(f, "AttributeUpdates", &update, no);
	if (e == OK && (kinds & ASKED_PROJECTION))
		e = fields_array(f, "AttributesToGet", &attributes, no);
	if (e == OK && (kinds & ASKED_KEY))
		e = fields_object(f, "KeyConditions", &out->legacy_key, no);
	if (e == OK)
		e = read_connective(f, expected == NULL && filter == NULL, &connective,
				    no);
	if (e == OK && expected != NULL)
		e = legacy_expected(a, expected, connective, &out->condition, no);
	if (e == OK && filter != NULL)
		e = legacy_filter(a, filter, connective, &out->filter, no);
	if (e == OK && update != NULL)
		e = legacy_updates(a, update, &out->update, no);
	if (e == OK && attributes != NULL)
		e = legacy_attributes(a, attributes, &out->projection, no);
	return e;
}

enum err asked_read(struct arena *a, const struct fields *f, unsigned kinds,
		    struct asked *out, struct refusal *no)
{
	struct placeholders *p;
	struct span text;
	enum err e = read_placeholders(a, f, &p, no);

	*out = (struct asked){0};
	if (e == OK && !(kinds & ASKED_NEW_ONLY))
		e = check_mixed(a, f, kinds, no);
	for (size_t i = 0; e == OK && i < KINDS; i++) {
		if (!(kinds & all[i].kind))
			continue;
		e = fields_text(f, all[i].now, &text, no);
		if (e == OK && text.p != NULL)
			e = read_one(a, &all[i], text, p, out, no);
	}
	if (e == OK)
		e = placeholders_check(a, p, no);
	if (e == OK && !(kinds & ASKED_NEW_ONLY))
		e = read_before(a, f, kinds, out, no);
	return e;
}
