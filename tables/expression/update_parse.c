#include "tables/expression/parser.h"
#include "tables/expression/update.h"

/* What the clauses have in common while they are read. */
struct clauses {
	struct parser *p;
	struct action *actions;
	size_t n;
	unsigned seen; /* bits of enum action_kind */
};

static const char *const keywords[] = {"SET", "REMOVE", "ADD", "DELETE"};

static enum err read_term(struct parser *p, struct node *out);

static bool find_clause(const struct parser *p, enum action_kind *out)
{
	for (unsigned i = 0; i < sizeof keywords / sizeof *keywords; i++) {
		*out = (enum action_kind)i;
		if (parser_at_keyword(p, keywords[i]))
			return true;
	}
	return false;
}

/* What the path leads to is changed. A keyword is no name. */
static enum err read_target(struct parser *p, struct path *out)
{
	enum action_kind kind;

	return find_clause(p, &kind) ? parser_syntax_error(p) : parser_path(p, out);
}

/* A fault when the operand is a literal, or a function, of another type than this. */
static void check_type(struct parser *p, enum node_kind operator_,
		       const struct node *operand, enum value_type wanted)
{
	enum value_type type = VALUE_L; /* of list_append */

	if (operand->kind == NODE_VALUE && operand->value)
		type = operand->value->type;
	else if (operand->kind != NODE_LIST_APPEND)
		return;
	if (type != wanted)
		parser_fault_type(p, node_name(operator_), value_type_name(type));
}

static void fault_function(struct parser *p, struct span name, bool known)
{
	if (!known)
		parser_fault(p, FAULT_FUNCTION, "Invalid function name; function: %.*s",
			     SPAN_ARG(name));
	else
		parser_fault(p, FAULT_MISUSED,
			     "The function is not allowed in an update expression; "
			     "function: %.*s",
			     SPAN_ARG(name));
}

static void check_function(struct parser *p, enum node_kind kind, const struct node *args,
			   size_t n)
{
	if (n != 2) {
		parser_fault(p, FAULT_OPERANDS,
			     "Incorrect number of operands for operator or function; "
			     "operator or function: %s, number of operands: %zu",
			     node_name(kind), n);
		return;
	}
	if (kind == NODE_LIST_APPEND) {
		check_type(p, kind, &args[0], VALUE_L);
		check_type(p, kind, &args[1], VALUE_L);
		return;
	}
	if (args[0].kind != NODE_PATH)
		parser_fault(p, FAULT_TYPE,
			     "Operator or function requires a document path; operator or "
			     "function: %s",
			     node_name(kind));
	parser_check_distinct(p, node_name(kind), &args[0], &args[1]);
}

/* It calls itself through its operands, as deep as EXPRESSION_OPERATORS_MOST. */
static enum err read_function(struct parser *p, struct node *out)
{
	struct node args[2] = {0}, more;
	struct span name = parser_next(p)->text;
	enum node_kind kind;
	bool known = node_find_function(name, &kind);
	bool allowed = known && (kind == NODE_IF_NOT_EXISTS || kind == NODE_LIST_APPEND);
	size_t n = 0;
	enum err e;

	if (!allowed)
		fault_function(p, name, known);
	parser_count_operator(p);
	if (p->operators > EXPRESSION_OPERATORS_MOST)
		return parser_end(p);
	p->at += 2; /* the name and the parenthesis */
	do {
		e = read_term(p, n < 2 ? &args[n] : &more);
		n++;
	} while (e == OK && parser_accept(p, TOKEN_COMMA));
	if (e == OK)
		e = parser_expect(p, TOKEN_CLOSE);
	if (e != OK)
		return e;
	if (allowed)
		check_function(p, kind, args, n);
	*out = node_of(p->a, kind, args, 2);
	return OK;
}

static enum err read_term(struct parser *p, struct node *out)
{
	enum action_kind clause;
	size_t opened = 0;
	enum err e;

	while (parser_accept(p, TOKEN_OPEN))
		opened++;
	if (opened > 1)
		parser_fault(p, FAULT_PARENTHESES,
			     "The expression has redundant parentheses;");
	if (find_clause(p, &clause))
		e = parser_syntax_error(p);
	else if (parser_at_function(p))
		e = read_function(p, out);
	else
		e = parser_path_or_value(p, out);
	while (e == OK && opened-- > 0)
		e = parser_expect(p, TOKEN_CLOSE);
	return e;
}

/* The right side of SET: a term, or a sum or difference of two. */
static enum err read_right_side(struct parser *p, struct node *out)
{
	struct node args[2] = {0};
	enum node_kind kind = NODE_MINUS;
	enum err e = read_term(p, &args[0]);

	if (e != OK)
		return e;
	*out = args[0];
	if (parser_next(p)->kind == TOKEN_PLUS)
		kind = NODE_PLUS;
	if (!parser_accept(p, TOKEN_PLUS) && !parser_accept(p, TOKEN_MINUS))
		return OK;
	parser_count_operator(p);
	e = read_term(p, &args[1]);
	if (e != OK)
		return e;
	check_type(p, kind, &args[0], VALUE_N);
	check_type(p, kind, &args[1], VALUE_N);
	*out = node_of(p->a, kind, args, 2);
	return OK;
}

/* In sentences about ADD and DELETE types have other names than on the wire. */
static const char *type_word(enum value_type t)
{
	switch (t) {
	case VALUE_S: return "STRING";
	case VALUE_N: return "NUMBER";
	case VALUE_B: return "BINARY";
	case VALUE_BOOL: return "BOOL";
	case VALUE_NULL: return "NULL";
	case VALUE_L: return "LIST";
	case VALUE_M: return "MAP";
	case VALUE_SS: return "STRING_SET";
	case VALUE_NS: return "NUMBER_SET";
	case VALUE_BS: return "BINARY_SET";
	case VALUE_TYPES: break;
	}
	return "";
}

/* The value of ADD (N or a set) or DELETE (a set). */
static enum err read_operand(struct parser *p, enum action_kind kind, struct node *out)
{
	enum err e = parser_value(p, out);
	enum value_type t;

	if (e != OK || !out->value)
		return e;
	t = out->value->type;
	if (t != VALUE_SS && t != VALUE_NS && t != VALUE_BS &&
	    !(t == VALUE_N && kind == ACTION_ADD))
		parser_fault(p, FAULT_TYPE,
			     "Incorrect operand type for operator or function; operator: "
			     "%s, operand type: %s, typeSet: ALLOWED_FOR_ADD_OPERAND",
			     keywords[kind], type_word(t));
	return OK;
}

static enum err read_action(struct clauses *c, enum action_kind kind)
{
	struct action *action = &c->actions[c->n++];
	enum err e = read_target(c->p, &action->path);

	action->kind = kind;
	if (e != OK || kind == ACTION_REMOVE)
		return e;
	if (kind == ACTION_ADD || kind == ACTION_DELETE)
		return read_operand(c->p, kind, &action->term);
	e = parser_expect(c->p, TOKEN_EQUAL);
	return e == OK ? read_right_side(c->p, &action->term) : e;
}

static enum err read_clause(struct clauses *c)
{
	enum action_kind kind;
	enum err e;

	if (!find_clause(c->p, &kind))
		return parser_syntax_error(c->p);
	if (c->seen & 1u << kind)
		parser_fault(c->p, FAULT_SECTION,
			     "The \"%s\" section can only be used once in an update "
			     "expression;",
			     keywords[kind]);
	c->seen |= 1u << kind;
	c->p->at++;
	do {
		e = read_action(c, kind);
	} while (e == OK && parser_accept(c->p, TOKEN_COMMA));
	return e;
}

/* All paths in one tree, which finds those that overlap or conflict. */
static void check_paths(struct parser *p, struct update *u)
{
	for (size_t i = 0; i < u->n; i++) {
		const struct path *path = &u->actions[i].path, *other = NULL;
		enum path_clash clash = path_tree_add(p->a, &u->paths, path, i, &other);

		parser_check_clash(p, clash, path, other);
	}
}

enum err update_parse(struct arena *a, struct span text,
		      struct placeholders *placeholders, struct update **out,
		      struct refusal *no)
{
	struct update *u = arena_calloc(a, 1, sizeof *u);
	struct parser p;
	struct clauses c = {.p = &p};
	enum err e = parser_begin(&p, a, "UpdateExpression", text, placeholders, no);

	*out = u;
	if (e != OK)
		return e;
	/* an action has at least a word and what separates it */
	c.actions = arena_calloc(a, text.n / 2 + 1, sizeof *c.actions);
	do {
		e = read_clause(&c);
	} while (e == OK && parser_next(&p)->kind != TOKEN_END);
	if (e != OK)
		return e;
	u->actions = c.actions;
	u->n = c.n;
	check_paths(&p, u);
	return parser_end(&p);
}
