/* Expected, ScanFilter, QueryFilter and KeyConditions. */
#include "tables/expression/compare.h"
#include "tables/expression/expression.h"
#include "tables/expression/legacy_read.h"
#include "json/walk.h"

enum {
	SCALARS = 1u << VALUE_S | 1u << VALUE_N | 1u << VALUE_B,
	TEXTS = 1u << VALUE_S | 1u << VALUE_B,
	NO_SETS = SCALARS | 1u << VALUE_BOOL | 1u << VALUE_NULL,
	ANY = (1u << VALUE_TYPES) - 1,
};

static const struct comparator {
	const char *name;
	enum node_kind kind;
	bool negated;
	bool of_keys;       /* KeyConditions may have it */
	size_t least, most; /* values */
	unsigned types;     /* of the values */
} comparators[] = {
	{"EQ", NODE_EQUAL, false, true, 1, 1, ANY},
	{"NE", NODE_DIFFERENT, false, false, 1, 1, ANY},
	{"LT", NODE_LESS, false, true, 1, 1, SCALARS},
	{"LE", NODE_LESS_EQUAL, false, true, 1, 1, SCALARS},
	{"GT", NODE_GREATER, false, true, 1, 1, SCALARS},
	{"GE", NODE_GREATER_EQUAL, false, true, 1, 1, SCALARS},
	{"BETWEEN", NODE_BETWEEN, false, true, 2, 2, SCALARS},
	{"IN", NODE_IN, false, false, 1, EXPRESSION_IN_MOST, SCALARS},
	{"BEGINS_WITH", NODE_BEGINS_WITH, false, true, 1, 1, TEXTS},
	{"CONTAINS", NODE_CONTAINS, false, false, 1, 1, NO_SETS},
	{"NOT_CONTAINS", NODE_CONTAINS, true, false, 1, 1, NO_SETS},
	{"NOT_NULL", NODE_EXISTS, false, false, 0, 0, ANY},
	{"NULL", NODE_NOT_EXISTS, false, false, 0, 0, ANY},
};

/* A condition while it is read. */
struct reading {
	struct legacy l;
	struct span name;  /* of the attribute */
	struct node *args; /* its path, and the values */
	size_t n_values;
};

static enum err find_comparator(struct reading *r, struct span name,
				const struct comparator **out)
{
	for (size_t i = 0; i < sizeof comparators / sizeof *comparators; i++) {
		*out = &comparators[i];
		if (span_is(name, comparators[i].name))
			return OK;
	}
	return refuse(r->l.a, r->l.no,
		      "1 validation error detected: Value '%.*s' at 'comparisonOperator' "
		      "failed to satisfy constraint: Member must satisfy enum value set: "
		      "[IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, "
		      "BEGINS_WITH, GE, CONTAINS]",
		      SPAN_ARG(name));
}

static enum err read_list(struct reading *r, const struct json_value *list)
{
	struct json_walk w;
	struct json_value each;
	struct span key;
	enum err e = legacy_expect(&r->l, list, JSON_IS_ARRAY);
	struct node path = r->args[0];

	if (e != OK)
		return e;
	r->args = arena_calloc(r->l.a, 1 + json_count(list), sizeof *r->args);
	r->args[0] = path;
	for (w = json_walk(list); e == OK && json_walk_next(&w, &key, &each);) {
		const struct value *v;

		e = legacy_value(&r->l, &each, &v);
		r->args[++r->n_values] = node_of_value(v);
	}
	return e;
}

/* Two bounds: of one type, in their order. */
static enum err check_bounds(struct reading *r)
{
	const struct value *low = r->args[1].value, *high = r->args[2].value;

	if (low->type != high->type)
		return legacy_refuse(&r->l, "AttributeValues inside AttributeValueList "
					    "must be of same type");
	if (compare_values(NODE_GREATER, low, high))
		return legacy_refuse(&r->l,
				     "The BETWEEN condition was provided a range where "
				     "the lower bound is greater than the upper bound");
	return OK;
}

static enum err check_values(struct reading *r, const struct comparator *c)
{
	if (r->n_values < c->least || r->n_values > c->most)
		return legacy_refuse(&r->l,
				     "Invalid number of argument(s) for the %s "
				     "ComparisonOperator",
				     c->name);
	for (size_t i = 1; i <= r->n_values; i++) {
		enum value_type t = r->args[i].value->type;

		if (!(c->types & 1u << t))
			return legacy_refuse(&r->l,
					     "ComparisonOperator %s is not valid for %s "
					     "AttributeValue type",
					     c->name, value_type_name(t));
	}
	return c->kind == NODE_BETWEEN ? check_bounds(r) : OK;
}

/* The path and the values are read. */
static enum err compare_with(struct reading *r, struct span operator_,
			     const struct comparator **found, struct node *out)
{
	const struct comparator *c;
	enum err e = find_comparator(r, operator_, &c);

	if (e == OK)
		e = check_values(r, c);
	if (e != OK)
		return e;
	*found = c;
	*out = node_of(r->l.a, c->kind, r->args, 1 + r->n_values);
	if (c->negated)
		*out = node_of(r->l.a, NODE_NOT, out, 1);
	return OK;
}

/* {"ComparisonOperator": "EQ", "AttributeValueList": [value]} */
static enum err read_comparison(struct reading *r, const struct json_value *v,
				const struct comparator **found, struct node *out)
{
	struct json_value list = legacy_member(v, "AttributeValueList");
	struct span operator_;
	enum err e = legacy_text_member(&r->l, v, "ComparisonOperator", &operator_);

	if (e == OK && list.kind != JSON_IS_MISSING)
		e = read_list(r, &list);
	return e == OK ? compare_with(r, operator_, found, out) : e;
}

/* What Expected has beside a comparison: "Exists" and "Value". */
struct expectation {
	struct json_value value, list, exists;
	struct span operator_;
};

static enum err check_expectation(struct reading *r, const struct expectation *x)
{
	bool value = x->value.kind != JSON_IS_MISSING;
	bool list = x->list.kind != JSON_IS_MISSING;
	bool exists = x->exists.kind != JSON_IS_MISSING;
	bool compares = x->operator_.n > 0;
	const char *wrong = NULL;

	if (exists && x->exists.kind != JSON_IS_TRUE && x->exists.kind != JSON_IS_FALSE)
		return legacy_serialization(&r->l, "Unexpected value type in payload");
	if (value && list)
		wrong = "Value and AttributeValueList cannot be used together";
	else if (compares && exists)
		wrong = "Exists and ComparisonOperator cannot be used together";
	else if (!compares && list)
		wrong = "AttributeValueList can only be used with a ComparisonOperator";
	else if (!compares && !value && x->exists.kind != JSON_IS_FALSE)
		wrong = exists ? "Value must be provided when Exists is true"
			       : "Value must be provided when Exists is null";
	else if (value && x->exists.kind == JSON_IS_FALSE)
		wrong = "Value cannot be used when Exists is false";
	if (!wrong)
		return OK;
	return legacy_refuse(&r->l, "%s for Attribute: %.*s", wrong, SPAN_ARG(r->name));
}

static enum err check_given(struct reading *r, const struct expectation *x)
{
	if (x->value.kind != JSON_IS_MISSING || x->list.kind != JSON_IS_MISSING ||
	    span_is(x->operator_, "NULL") || span_is(x->operator_, "NOT_NULL"))
		return OK;
	return legacy_refuse(&r->l,
			     "Value or AttributeValueList must be used with "
			     "ComparisonOperator: %.*s for Attribute: %.*s",
			     SPAN_ARG(x->operator_), SPAN_ARG(r->name));
}

/* One of Expected: a comparison, a value that must be there, or an attribute that must not. */
static enum err read_expected(struct reading *r, const struct json_value *v,
			      const struct comparator **found, struct node *out)
{
	struct expectation x = {.value = legacy_member(v, "Value"),
				.list = legacy_member(v, "AttributeValueList"),
				.exists = legacy_member(v, "Exists")};
	enum err e = legacy_text_member(&r->l, v, "ComparisonOperator", &x.operator_);

	if (e == OK)
		e = check_expectation(r, &x);
	if (e == OK && x.operator_.n > 0)
		e = check_given(r, &x);
	if (e == OK && x.value.kind != JSON_IS_MISSING) {
		const struct value *value;

		e = legacy_value(&r->l, &x.value, &value);
		r->args[1] = node_of_value(value);
		r->n_values = 1;
	}
	if (e == OK && x.list.kind != JSON_IS_MISSING)
		e = read_list(r, &x.list);
	if (e != OK)
		return e;
	if (x.operator_.n > 0)
		return compare_with(r, x.operator_, found, out);
	*out = node_of(r->l.a, r->n_values > 0 ? NODE_EQUAL : NODE_NOT_EXISTS, r->args,
		       1 + r->n_values);
	return OK;
}

static enum err check_connective(struct legacy *l, struct span connective, size_t n)
{
	if (n > EXPRESSION_OPERATORS_MOST)
		return legacy_refuse(l, "%zu conditions, more than the maximum of %d", n,
				     EXPRESSION_OPERATORS_MOST);
	if (connective.n == 0)
		return OK;
	if (!span_is(connective, "AND") && !span_is(connective, "OR"))
		return refuse(
			l->a, l->no,
			"1 validation error detected: Value '%.*s' at "
			"'conditionalOperator' failed to satisfy constraint: Member "
			"must satisfy enum value set: [OR, AND]",
			SPAN_ARG(connective));
	if (n < 2)
		return legacy_refuse(l,
				     "ConditionalOperator can only be used when Filter "
				     "or Expected has two or more elements");
	return OK;
}

typedef enum err read_fn(struct reading *r, const struct json_value *v,
			 const struct comparator **found, struct node *out);

/* keys: of KeyConditions, where not all comparators may be. */
static enum err read_conditions(struct legacy *l, const struct json_value *v,
				struct span connective, read_fn *read, bool keys,
				struct condition **out)
{
	struct condition *c = arena_calloc(l->a, 1, sizeof *c);
	size_t n = v->kind == JSON_IS_OBJECT ? json_count(v) : 0;
	struct node *nodes = arena_calloc(l->a, n, sizeof *nodes);
	struct path *paths = arena_calloc(l->a, n, sizeof *paths);
	struct json_walk w;
	struct json_value each;
	struct span key;
	enum err e = legacy_expect(l, v, JSON_IS_OBJECT);

	*out = NULL;
	if (e == OK)
		e = check_connective(l, connective, n);
	if (e != OK || n == 0)
		return e;
	for (w = json_walk(v); e == OK && json_walk_next(&w, &key, &each); c->n_paths++) {
		const struct comparator *found = NULL;
		struct node args[2] = {0};
		struct reading r = {.l = *l, .args = args};

		e = legacy_path(l, key, &paths[c->n_paths]);
		if (e == OK)
			e = legacy_expect(l, &each, JSON_IS_OBJECT);
		if (e != OK)
			return e;
		args[0] = node_of_path(paths[c->n_paths]);
		r.name = paths[c->n_paths].steps[0].name;
		e = read(&r, &each, &found, &nodes[c->n_paths]);
		if (e == OK && keys && !found->of_keys)
			e = refuse(l->a, l->no,
				   "Attempted conditional constraint is not an indexable "
				   "operation");
	}
	c->paths = paths;
	c->root = (struct node){.kind = span_is(connective, "OR") ? NODE_OR : NODE_AND,
				.args = nodes,
				.n = n};
	*out = c;
	return e;
}

enum err legacy_expected(struct arena *a, const struct json_value *v,
			 struct span connective, struct condition **out,
			 struct refusal *no)
{
	struct legacy l = {a, no};

	return read_conditions(&l, v, connective, read_expected, false, out);
}

enum err legacy_filter(struct arena *a, const struct json_value *v,
		       struct span connective, struct condition **out, struct refusal *no)
{
	struct legacy l = {a, no};

	return read_conditions(&l, v, connective, read_comparison, false, out);
}

enum err legacy_key_conditions(struct arena *a, const struct json_value *v,
			       const struct key_names *names, struct key_condition *out,
			       struct refusal *no)
{
	struct legacy l = {a, no};
	struct condition *c;
	enum err e = read_conditions(&l, v, span_of(NULL, 0), read_comparison, true, &c);

	if (e == OK && !c)
		e = refuse(a, no, "Conditions can be of length 1 or 2 only");
	return e == OK ? key_condition_bind(a, c, names, out, no) : e;
}
