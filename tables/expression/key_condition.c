#include "tables/expression/key_condition.h"
#include "tables/expression/tree.h"
#include "tables/value/key.h"

enum { KEYS_MOST = 2 };

static const char what[] = "KeyConditionExpression";

/* One test of one attribute, the path on its left. */
struct test {
	enum node_kind kind;
	struct span name;
	const struct value *low, *high;
};

struct tests {
	struct arena *a;
	struct test all[KEYS_MOST];
	size_t n;
	struct refusal *no;
};

static enum err refuse_operator(struct tests *t, enum node_kind kind)
{
	return refuse(t->a, t->no, "Invalid operator used in %s: %s", what,
		      node_name(kind));
}

static enum err refuse_condition(struct tests *t, const char *why)
{
	return refuse(t->a, t->no, "Invalid condition in %s: %s", what, why);
}

/* The same test with its sides exchanged: ":v < a" is "a > :v". */
static enum node_kind mirrored(enum node_kind kind)
{
	switch ((int)kind) {
	case NODE_LESS: return NODE_GREATER;
	case NODE_LESS_EQUAL: return NODE_GREATER_EQUAL;
	case NODE_GREATER: return NODE_LESS;
	case NODE_GREATER_EQUAL: return NODE_LESS_EQUAL;
	default: return kind;
	}
}

static bool is_key_test(enum node_kind kind)
{
	return kind == NODE_EQUAL || kind == NODE_LESS || kind == NODE_LESS_EQUAL ||
	       kind == NODE_GREATER || kind == NODE_GREATER_EQUAL ||
	       kind == NODE_BETWEEN || kind == NODE_BEGINS_WITH;
}

/* size() is no key, nor are two attributes, nor a part of one. */
static enum err check_operands(struct tests *t, const struct node *n)
{
	size_t paths = 0;

	for (size_t i = 0; i < n->n; i++) {
		const struct node *operand = &n->args[i];

		if (operand->kind == NODE_SIZE)
			return refuse_operator(t, operand->kind);
		if (operand->kind != NODE_PATH)
			continue;
		if (operand->path.n > 1)
			return refuse(t->a, t->no,
				      "Invalid %s: %ss cannot have conditions on nested "
				      "attributes",
				      what, what);
		paths++;
	}
	if (paths == 0)
		return refuse_condition(t, "No key attribute specified");
	if (paths > 1)
		return refuse_condition(t,
					"Multiple attribute names used in one condition");
	return OK;
}

static enum err add_test(struct tests *t, const struct node *n)
{
	bool swapped = n->n == 2 && n->args[0].kind == NODE_VALUE;
	enum err e;

	if (!is_key_test(n->kind))
		return refuse_operator(t, n->kind);
	e = check_operands(t, n);
	if (e != OK)
		return e;
	if (n->args[0].kind != NODE_PATH &&
	    (n->kind == NODE_BETWEEN || n->kind == NODE_BEGINS_WITH))
		return refuse_condition(
			t, arena_printf(t->a,
					"%s operator must have the key attribute as its "
					"first operand",
					node_name(n->kind)));
	if (t->n == KEYS_MOST)
		return refuse(t->a, t->no, "Conditions can be of length 1 or 2 only");
	t->all[t->n++] = (struct test){
		.kind = swapped ? mirrored(n->kind) : n->kind,
		.name = n->args[swapped ? 1 : 0].path.steps[0].name,
		.low = n->args[swapped ? 0 : 1].value,
		.high = n->n > 2 ? n->args[2].value : NULL,
	};
	return OK;
}

/* Not deeper than EXPRESSION_OPERATORS_MOST, and not after the third test. */
static enum err find_tests(struct tests *t, const struct node *n)
{
	enum err e = OK;

	if (n->kind != NODE_AND)
		return add_test(t, n);
	for (size_t i = 0; e == OK && i < n->n; i++)
		e = find_tests(t, &n->args[i]);
	return e;
}

static enum err read_tests(struct arena *a, const struct condition *c, struct tests *t,
			   struct refusal *no)
{
	enum err e;

	*t = (struct tests){.a = a, .no = no};
	e = find_tests(t, &c->root);
	if (e == OK && t->n == 2 && span_eq(t->all[0].name, t->all[1].name))
		e = refuse(a, no,
			   "Invalid %s: %ss must only contain one condition per key",
			   what, what);
	return e;
}

enum err key_condition_read(struct arena *a, struct span text, struct placeholders *p,
			    struct condition **out, struct refusal *no)
{
	struct tests t;
	enum err e = condition_parse(a, what, text, p, out, no);

	return e == OK ? read_tests(a, *out, &t, no) : e;
}

static const struct test *find_test(const struct tests *t, struct span name)
{
	for (size_t i = 0; i < t->n; i++) {
		if (span_eq(t->all[i].name, name))
			return &t->all[i];
	}
	return NULL;
}

/* A literal that is compared with a key: of its type, not empty, not larger than a key can be. */
static enum err check_literal(struct tests *t, struct span name, enum value_type type,
			      size_t most, const struct value *v)
{
	if (!v)
		return OK;
	if (v->type != type)
		return refuse(t->a, t->no,
			      "One or more parameter values were invalid: Condition "
			      "parameter type does not match schema type");
	if (v->bytes.n == 0)
		return refuse(t->a, t->no,
			      "One or more parameter values are not valid. The "
			      "AttributeValue for a key attribute cannot contain an "
			      "empty %s value. Key: %.*s",
			      type == VALUE_B ? "binary" : "string", SPAN_ARG(name));
	if (v->bytes.n > most)
		return refuse(t->a, t->no,
			      "One or more parameter values were invalid: the value for "
			      "key %.*s has %zu bytes, more than the maximum of %zu",
			      SPAN_ARG(name), v->bytes.n, most);
	return OK;
}

static enum sort_test sort_test_of(enum node_kind kind)
{
	switch ((int)kind) {
	case NODE_EQUAL: return SORT_EQUAL;
	case NODE_LESS: return SORT_LESS;
	case NODE_LESS_EQUAL: return SORT_LESS_EQUAL;
	case NODE_GREATER: return SORT_GREATER;
	case NODE_GREATER_EQUAL: return SORT_GREATER_EQUAL;
	case NODE_BETWEEN: return SORT_BETWEEN;
	default: return SORT_BEGINS;
	}
}

static enum err bind_partition(struct tests *t, const struct key_names *names,
			       struct key_condition *out)
{
	const struct test *test = find_test(t, names->partition);

	if (!test)
		return refuse(t->a, t->no,
			      "Query condition missed key schema element: %.*s",
			      SPAN_ARG(names->partition));
	if (test->kind != NODE_EQUAL)
		return refuse(t->a, t->no, "Query key condition not supported");
	out->partition = test->low;
	return check_literal(t, names->partition, names->partition_type,
			     KEY_PARTITION_MOST, test->low);
}

static enum err bind_sort(struct tests *t, const struct key_names *names,
			  struct key_condition *out)
{
	const struct test *test = names->sort.n > 0 ? find_test(t, names->sort) : NULL;
	enum err e;

	if (!test && names->sort.n > 0)
		return refuse(t->a, t->no,
			      "Query condition missed key schema element: %.*s",
			      SPAN_ARG(names->sort));
	if (!test || (test->kind == NODE_BEGINS_WITH && names->sort_type == VALUE_N))
		return refuse(t->a, t->no, "Query key condition not supported");
	out->test = sort_test_of(test->kind);
	out->low = test->low;
	out->high = test->high;
	e = check_literal(t, names->sort, names->sort_type, KEY_SORT_MOST, test->low);
	if (e == OK)
		e = check_literal(t, names->sort, names->sort_type, KEY_SORT_MOST,
				  test->high);
	return e;
}

enum err key_condition_bind(struct arena *a, const struct condition *c,
			    const struct key_names *names, struct key_condition *out,
			    struct refusal *no)
{
	struct tests t;
	enum err e = read_tests(a, c, &t, no);

	*out = (struct key_condition){.test = SORT_ANY};
	if (e == OK)
		e = bind_partition(&t, names, out);
	if (e == OK && t.n > 1)
		e = bind_sort(&t, names, out);
	return e;
}

enum err key_condition_parse(struct arena *a, struct span text, struct placeholders *p,
			     const struct key_names *names, struct key_condition *out,
			     struct refusal *no)
{
	struct condition *c;
	enum err e = key_condition_read(a, text, p, &c, no);

	return e == OK ? key_condition_bind(a, c, names, out, no) : e;
}
