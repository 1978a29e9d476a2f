#include "tables/expression/operand.h"

enum {
	ARGUMENTS_MOST = 2, /* of a function */
	TEXT_MOST = 256,    /* bytes of a literal in a sentence */
};

static const unsigned ordered = 1u << VALUE_S | 1u << VALUE_N | 1u << VALUE_B;
static const unsigned sets = 1u << VALUE_SS | 1u << VALUE_NS | 1u << VALUE_BS;

/* A fault when the operand's type is known before any item is, and is none of these. */
static void check_type(struct parser *p, const char *operator_,
		       const struct node *operand, unsigned types)
{
	enum value_type type = VALUE_N; /* of size() */

	if (operand->kind == NODE_PATH ||
	    (operand->kind == NODE_VALUE && !operand->value))
		return;
	if (operand->kind == NODE_VALUE)
		type = operand->value->type;
	if (!(types & 1u << type))
		parser_fault_type(p, operator_, value_type_name(type));
}

void operand_check_ordered(struct parser *p, const char *operator_,
			   const struct node *operand)
{
	check_type(p, operator_, operand, ordered);
}

/* "{S:text}" */
static const char *literal_text(struct arena *a, const struct value *v)
{
	struct span text = v->type == VALUE_B ? span_str("…") : v->bytes;

	if (text.n > TEXT_MOST)
		text.n = TEXT_MOST;
	return arena_printf(a, "{%s:%.*s}", value_type_name(v->type), SPAN_ARG(text));
}

static void fault_bounds(struct parser *p, const char *rule, const struct value *low,
			 const struct value *high)
{
	parser_fault(p, FAULT_TYPE,
		     "The BETWEEN operator requires %s; lower bound operand: "
		     "AttributeValue: %s, upper bound operand: AttributeValue: %s",
		     rule, literal_text(p->a, low), literal_text(p->a, high));
}

void operand_check_bounds(struct parser *p, const struct node *low,
			  const struct node *high)
{
	const struct value *l = low->value, *h = high->value;

	if (!l || !h || !(ordered & 1u << l->type) || !(ordered & 1u << h->type))
		return;
	if (l->type != h->type)
		fault_bounds(p, "same data type for lower and upper bounds", l, h);
	else if (value_compare(l, h) > 0)
		fault_bounds(p, "upper bound to be greater than or equal to lower bound",
			     l, h);
}

static bool is_type_name(struct span name)
{
	for (unsigned t = 0; t < VALUE_TYPES; t++) {
		if (span_is(name, value_type_name((enum value_type)t)))
			return true;
	}
	return false;
}

/* attribute_type: a literal S that names a type. */
static void check_type_operand(struct parser *p, const struct node *name)
{
	if (name->kind == NODE_PATH)
		parser_fault_type(p, node_name(NODE_TYPE),
				  "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}");
	check_type(p, node_name(NODE_TYPE), name, 1u << VALUE_S);
	if (name->kind == NODE_VALUE && name->value && name->value->type == VALUE_S &&
	    !is_type_name(name->value->bytes))
		parser_fault(p, FAULT_TYPE,
			     "Invalid attribute type name found; type: %.*s, valid "
			     "types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
			     SPAN_ARG(name->value->bytes));
}

static void check_path(struct parser *p, const char *function, const struct node *operand)
{
	if (operand->kind != NODE_PATH)
		parser_fault(p, FAULT_TYPE,
			     "Operator or function requires a document path; operator or "
			     "function: %s",
			     function);
}

/* The operands of a function, which are as many as it has. */
static void check_function(struct parser *p, enum node_kind kind, const struct node *args)
{
	const char *name = node_name(kind);

	if (kind == NODE_EXISTS || kind == NODE_NOT_EXISTS || kind == NODE_TYPE)
		check_path(p, name, &args[0]);
	if (kind == NODE_TYPE)
		check_type_operand(p, &args[1]);
	if (kind == NODE_BEGINS_WITH) {
		check_type(p, name, &args[0], 1u << VALUE_S | 1u << VALUE_B);
		check_type(p, name, &args[1], 1u << VALUE_S | 1u << VALUE_B);
	}
	if (kind == NODE_CONTAINS)
		check_type(p, name, &args[0],
			   1u << VALUE_S | 1u << VALUE_B | 1u << VALUE_L | sets);
	if (kind == NODE_SIZE)
		check_type(p, name, &args[0],
			   1u << VALUE_S | 1u << VALUE_B | 1u << VALUE_L | 1u << VALUE_M |
				   sets);
	if (kind == NODE_BEGINS_WITH || kind == NODE_CONTAINS || kind == NODE_TYPE)
		parser_check_distinct(p, name, &args[0], &args[1]);
}

static size_t arguments_of(enum node_kind kind)
{
	return kind == NODE_EXISTS || kind == NODE_NOT_EXISTS || kind == NODE_SIZE ? 1
										   : 2;
}

/* "(operand, …)"; n: how many there are, of which args has the first ARGUMENTS_MOST. */
static enum err read_arguments(struct parser *p, enum operand_place place,
			       struct node *args, size_t *n)
{
	enum err e = parser_expect(p, TOKEN_OPEN);

	*n = 0;
	while (e == OK) {
		struct node more, *arg = *n < ARGUMENTS_MOST ? &args[*n] : &more;

		e = operand_parse(p, place, arg);
		++*n;
		if (e != OK || !parser_accept(p, TOKEN_COMMA))
			break;
	}
	return e == OK ? parser_expect(p, TOKEN_CLOSE) : e;
}

static void fault_place(struct parser *p, struct span name, bool known,
			enum node_kind kind, enum operand_place place)
{
	if (!known)
		parser_fault(p, FAULT_FUNCTION, "Invalid function name; function: %.*s",
			     SPAN_ARG(name));
	else if (kind == NODE_IF_NOT_EXISTS || kind == NODE_LIST_APPEND)
		parser_fault(p, FAULT_MISUSED,
			     "The function is not allowed in a condition expression; "
			     "function: %.*s",
			     SPAN_ARG(name));
	else if (place == OPERAND_OF_SIZE ||
		 (place == OPERAND_OTHER && kind != NODE_SIZE))
		parser_fault(p, FAULT_MISUSED,
			     "The function is not allowed to be used this way in an "
			     "expression; function: %.*s",
			     SPAN_ARG(name));
}

/* Functions stand in functions for one level, as size alone: what is deeper is refused without going on. */
static enum err read_function(struct parser *p, enum operand_place place,
			      struct node *out)
{
	struct node args[ARGUMENTS_MOST];
	struct span name = parser_next(p)->text;
	enum node_kind kind;
	bool known = node_find_function(name, &kind);
	size_t n = 0;
	enum err e;

	parser_count_operator(p);
	fault_place(p, name, known, kind, place);
	if (place == OPERAND_OF_SIZE)
		return parser_end(p);
	p->at++;
	e = read_arguments(p,
			   kind == NODE_SIZE || place == OPERAND_OTHER ? OPERAND_OF_SIZE
								       : OPERAND_OTHER,
			   args, &n);
	if (e != OK)
		return e;
	if (known && n != arguments_of(kind))
		parser_fault(p, FAULT_OPERANDS,
			     "Incorrect number of operands for operator or function; "
			     "operator or function: %.*s, number of operands: %zu",
			     SPAN_ARG(name), n);
	else if (known)
		check_function(p, kind, args);
	*out = node_of(p->a, kind, args, n < ARGUMENTS_MOST ? n : ARGUMENTS_MOST);
	return OK;
}

/* Words that join conditions are no names. */
static bool at_connective(const struct parser *p)
{
	return parser_at_keyword(p, "AND") || parser_at_keyword(p, "OR") ||
	       parser_at_keyword(p, "NOT") || parser_at_keyword(p, "BETWEEN") ||
	       parser_at_keyword(p, "IN");
}

enum err operand_parse(struct parser *p, enum operand_place place, struct node *out)
{
	if (at_connective(p))
		return parser_syntax_error(p);
	if (parser_at_function(p))
		return read_function(p, place, out);
	return parser_path_or_value(p, out);
}
