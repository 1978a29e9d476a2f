#include "tables/expression/placeholders.h"
#include "tables/expression/lexer.h"

#include <stdio.h>
#include <stdlib.h>

/* One of the two maps, and which of its members were used. */
struct definitions {
	const char *parameter;       /* of the request: "ExpressionAttributeNames" */
	uint8_t mark;                /* '#' or ':' */
	const struct value_map *map; /* NULL: absent */
	bool *used;
};

struct placeholders {
	struct definitions names, values;
	size_t expressions;
};

static bool is_key(struct span key, uint8_t mark)
{
	if (key.n < 2 || key.p[0] != mark)
		return false;
	for (size_t i = 1; i < key.n; i++) {
		if (!lexer_is_word(key.p[i]))
			return false;
	}
	return true;
}

static enum err definitions_init(struct arena *a, struct definitions *d,
				 struct refusal *no)
{
	if (!d->map)
		return OK;
	if (d->map->n == 0)
		return refuse(a, no, "%s must not be empty", d->parameter);
	d->used = arena_calloc(a, d->map->n, sizeof *d->used);
	for (size_t i = 0; i < d->map->n; i++) {
		struct span key = d->map->members[i].name;

		if (!is_key(key, d->mark))
			return refuse(a, no,
				      "%s contains invalid key: Syntax error; key: "
				      "\"%.*s\"",
				      d->parameter, SPAN_ARG(key));
	}
	return OK;
}

static enum err check_names(struct arena *a, const struct value_map *names,
			    struct refusal *no)
{
	for (size_t i = 0; names && i < names->n; i++) {
		const struct value_member *m = &names->members[i];

		if (m->value.bytes.n == 0 || m->value.bytes.n > VALUE_NAME_MOST)
			return refuse(
				a, no,
				"ExpressionAttributeNames contains invalid value: an "
				"attribute name has 1 to %d bytes, not %zu; key: "
				"\"%.*s\"",
				VALUE_NAME_MOST, m->value.bytes.n, SPAN_ARG(m->name));
	}
	return OK;
}

enum err placeholders_new(struct arena *a, const struct value_map *names,
			  const struct value_map *values, struct placeholders **out,
			  struct refusal *no)
{
	struct placeholders *p = arena_calloc(a, 1, sizeof *p);
	enum err e;

	p->names = (struct definitions){"ExpressionAttributeNames", '#', names, NULL};
	p->values = (struct definitions){"ExpressionAttributeValues", ':', values, NULL};
	e = definitions_init(a, &p->names, no);
	if (e == OK)
		e = check_names(a, names, no);
	if (e == OK)
		e = definitions_init(a, &p->values, no);
	*out = p;
	return e;
}

void placeholders_count_expression(struct placeholders *p)
{
	if (p)
		p->expressions++;
}

static int compare_key(const void *key, const void *element)
{
	const struct span *wanted = key;
	const struct value_member *member = element;

	return span_compare(*wanted, member->name);
}

static const struct value *definitions_use(struct definitions *d, struct span key)
{
	const struct value_member *m = NULL;

	if (d->map)
		m = bsearch(&key, d->map->members, d->map->n, sizeof *m, compare_key);
	if (!m)
		return NULL;
	d->used[m - d->map->members] = true;
	return &m->value;
}

bool placeholders_name(struct placeholders *p, struct span key, struct span *out)
{
	const struct value *v = p ? definitions_use(&p->names, key) : NULL;

	if (v)
		*out = v->bytes;
	return v != NULL;
}

const struct value *placeholders_value(struct placeholders *p, struct span key)
{
	return p ? definitions_use(&p->values, key) : NULL;
}

/* "{#a, #b}", of those that were not used; NULL: all were. */
static const char *unused_keys(struct arena *a, const struct definitions *d)
{
	size_t n = 0, room = sizeof "{}";
	char *out;

	for (size_t i = 0; d->map && i < d->map->n; i++)
		room += d->used[i] ? 0 : d->map->members[i].name.n + strlen(", ");
	if (room == sizeof "{}")
		return NULL;
	out = arena_alloc(a, room);
	for (size_t i = 0; i < d->map->n; i++) {
		if (!d->used[i])
			n += (size_t)snprintf(out + n, room - n, "%s%.*s",
					      n > 0 ? ", " : "{",
					      SPAN_ARG(d->map->members[i].name));
	}
	memcpy(out + n, "}", 2);
	return out;
}

static enum err check_used(struct arena *a, const struct definitions *d,
			   struct refusal *no)
{
	const char *keys = unused_keys(a, d);

	if (!keys)
		return OK;
	return refuse(a, no, "Value provided in %s unused in expressions: keys: %s",
		      d->parameter, keys);
}

enum err placeholders_check(struct arena *a, const struct placeholders *p,
			    struct refusal *no)
{
	const struct definitions *given = p->names.map ? &p->names : &p->values;
	enum err e;

	if (p->expressions == 0 && given->map)
		return refuse(a, no, "%s can only be specified when using expressions",
			      given->parameter);
	e = check_used(a, &p->names, no);
	return e == OK ? check_used(a, &p->values, no) : e;
}
