#include "broker/channels/client/filter.h"

#include "json/string.h"
#include "json/walk.h"

struct reader {
	struct proto_arena *arena;
	struct filter *out;
};

/* What the value of an operator is. */
enum operand { ONE_FILTER, FILTERS, ONE_VALUE, VALUES, FLAG };

static const struct operation {
	const char *name;
	Gatepost__FilterNode__Op op;
	enum operand operand;
} operations[] = {
	{"and", GATEPOST__FILTER_NODE__OP__AND, FILTERS},
	{"or", GATEPOST__FILTER_NODE__OP__OR, FILTERS},
	{"not", GATEPOST__FILTER_NODE__OP__NOT, ONE_FILTER},
	{"eq", GATEPOST__FILTER_NODE__OP__EQ, ONE_VALUE},
	{"ne", GATEPOST__FILTER_NODE__OP__NE, ONE_VALUE},
	{"in", GATEPOST__FILTER_NODE__OP__IN, VALUES},
	{"nin", GATEPOST__FILTER_NODE__OP__NIN, VALUES},
	{"exists", GATEPOST__FILTER_NODE__OP__EXISTS, FLAG},
	{"starts", GATEPOST__FILTER_NODE__OP__STARTS, ONE_VALUE},
	{"ends", GATEPOST__FILTER_NODE__OP__ENDS, ONE_VALUE},
	{"contains", GATEPOST__FILTER_NODE__OP__CONTAINS, ONE_VALUE},
	{"gt", GATEPOST__FILTER_NODE__OP__GT, ONE_VALUE},
	{"gte", GATEPOST__FILTER_NODE__OP__GTE, ONE_VALUE},
	{"lt", GATEPOST__FILTER_NODE__OP__LT, ONE_VALUE},
	{"lte", GATEPOST__FILTER_NODE__OP__LTE, ONE_VALUE},
};

static const char *read_node(struct reader *r, const struct json_value *v);

static const struct operation *operation_of(struct span name)
{
	for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
		if (json_string_is(name, span_str(operations[i].name)))
			return &operations[i];
	return NULL;
}

/* The members of a node: one operator, and a tag where it needs one. */
struct node {
	const struct operation *op;
	struct json_value value, tag;
};

static const char *find_members(const struct json_value *v, struct node *n)
{
	struct json_walk w;
	struct json_value of;
	struct span name;

	if (v->kind != JSON_IS_OBJECT)
		return "a filter is an object";
	w = json_walk(v);
	while (json_walk_next(&w, &name, &of)) {
		const struct operation *op = operation_of(name);

		if (json_string_is(name, span_str("tag"))) {
			n->tag = of;
		} else if (op == NULL) {
			return "a filter has and, or, not, or tag and one of eq, ne, in, "
			       "nin, "
			       "exists, starts, ends, contains, gt, gte, lt, lte, and "
			       "nothing else";
		} else if (n->op != NULL) {
			return "a filter has two operators in one object";
		} else {
			n->op = op;
			n->value = of;
		}
	}
	return n->op == NULL ? "a filter has no operator" : NULL;
}

static ProtobufCBinaryData data_of(struct span s)
{
	return (ProtobufCBinaryData){.len = s.n, .data = (uint8_t *)(uintptr_t)s.p};
}

/* The characters of a string, or the digits of a number. */
static const char *read_text(struct reader *r, const struct json_value *v,
			     ProtobufCBinaryData *out)
{
	uint8_t room[FILTER_TAG_MOST];
	struct span s = v->raw;

	if (v->kind != JSON_IS_STRING && v->kind != JSON_IS_NUMBER)
		return "a value of a filter is not a string or a number";
	if (v->kind == JSON_IS_STRING &&
	    json_unescape(v->raw, room, sizeof room, &s) != OK)
		return "a text of a filter has more than 256 bytes, or half of a "
		       "surrogate "
		       "pair";
	if (s.n > FILTER_TAG_MOST)
		return "a text of a filter has more than 256 bytes";
	*out = data_of(proto_arena_copy(r->arena, s));
	return NULL;
}

static const char *read_filters(struct reader *r, Gatepost__FilterNode *node,
				const struct json_value *v)
{
	struct json_walk w;
	struct json_value of;
	struct span name;
	const char *why = NULL;

	if (v->kind != JSON_IS_ARRAY)
		return "and, or: a list of filters";
	w = json_walk(v);
	while (why == NULL && json_walk_next(&w, &name, &of)) {
		node->operands++;
		why = read_node(r, &of);
	}
	if (why == NULL && node->operands == 0)
		return "and, or: the list is empty";
	return why;
}

static const char *read_values(struct reader *r, Gatepost__FilterNode *node,
			       const struct json_value *v)
{
	struct json_walk w;
	struct json_value of;
	struct span name;
	const char *why = NULL;

	if (v->kind != JSON_IS_ARRAY)
		return "in, nin: a list of values";
	node->values = proto_arena_alloc(r->arena, FILTER_VALUES * sizeof *node->values);
	w = json_walk(v);
	while (why == NULL && json_walk_next(&w, &name, &of)) {
		if (node->n_values == FILTER_VALUES)
			return "in, nin: more than 100 values";
		why = read_text(r, &of, &node->values[node->n_values++]);
	}
	return why;
}

static const char *read_value(struct reader *r, Gatepost__FilterNode *node,
			      const struct node *n)
{
	node->values = proto_arena_alloc(r->arena, sizeof *node->values);
	node->n_values = 1;
	if (n->op->operand == ONE_VALUE)
		return read_text(r, &n->value, &node->values[0]);
	if (n->value.kind != JSON_IS_TRUE && n->value.kind != JSON_IS_FALSE)
		return "exists: true or false";
	node->values[0] = data_of(proto_arena_copy(r->arena, n->value.raw));
	return NULL;
}

static const char *read_operand(struct reader *r, Gatepost__FilterNode *node,
				const struct node *n)
{
	switch (n->op->operand) {
	case ONE_FILTER: node->operands = 1; return read_node(r, &n->value);
	case FILTERS: return read_filters(r, node, &n->value);
	case VALUES: return read_values(r, node, &n->value);
	case ONE_VALUE:
	case FLAG: break;
	}
	return read_value(r, node, n);
}

/* As deep as there are nodes: at most FILTER_NODES. */
static const char *read_node(struct reader *r, const struct json_value *v)
{
	Gatepost__FilterNode *node;
	struct node n = {0};
	const char *why = find_members(v, &n);
	bool of_filters;

	if (why != NULL)
		return why;
	if (r->out->n == FILTER_NODES)
		return "a filter has more than 32 parts";
	of_filters = n.op->operand == ONE_FILTER || n.op->operand == FILTERS;
	if (of_filters && n.tag.kind != JSON_IS_MISSING)
		return "and, or, not: no tag belongs there";
	if (!of_filters && n.tag.kind != JSON_IS_STRING)
		return "a filter has no tag, or one that is not a string";
	node = proto_arena_alloc_raw(r->arena, sizeof *node);
	gatepost__filter_node__init(node);
	node->op = n.op->op;
	r->out->nodes[r->out->n++] = node;
	if (!of_filters)
		why = read_text(r, &n.tag, &node->tag);
	return why != NULL ? why : read_operand(r, node, &n);
}

const char *filter_read(struct span json, struct proto_arena *a, struct filter *out)
{
	static const struct json_path whole = {NULL, 0};
	struct reader r = {a, out};
	struct json_value v;

	*out = (struct filter){.nodes = proto_arena_alloc(
				       a, FILTER_NODES * sizeof(Gatepost__FilterNode *))};
	if (json_find(json, &whole, &v) != OK)
		return "a filter is JSON";
	return read_node(&r, &v);
}
