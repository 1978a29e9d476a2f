/*
 * The parser of conditions. It keeps what waits in arrays instead of calling itself, so
 * that parentheses and NOTs may be as deep as the text is long:
 *
 *   waiting   NOT, AND, OR and open parentheses whose right side has not been read
 *   done      conditions that have been read
 */
#include "tables/expression/condition.h"
#include "tables/expression/operand.h"

/* An operator that waits. open: it is a parenthesis, and where that is among the tokens. */
struct waiting {
	enum node_kind kind;
	bool open;
	size_t at;
};

struct reading {
	struct parser *p;
	struct waiting *waiting;
	struct node *done;
	size_t n_waiting, n_done;
	size_t last_open, last_close; /* the parentheses that were closed last */
};

/* BETWEEN, behind the word */
static enum err read_between(struct parser *p, const struct node *left, struct node *out)
{
	struct node args[] = {*left, {0}, {0}};
	enum err e = operand_parse(p, OPERAND_OTHER, &args[1]);

	if (e == OK && !parser_accept_keyword(p, "AND"))
		e = parser_syntax_error(p);
	if (e == OK)
		e = operand_parse(p, OPERAND_OTHER, &args[2]);
	if (e != OK)
		return e;
	for (size_t i = 0; i < 3; i++)
		operand_check_ordered(p, node_name(NODE_BETWEEN), &args[i]);
	operand_check_bounds(p, &args[1], &args[2]);
	*out = node_of(p->a, NODE_BETWEEN, args, 3);
	return OK;
}

/* IN, behind the word */
static enum err read_in(struct parser *p, const struct node *left, struct node *out)
{
	struct node *args = arena_calloc(p->a, EXPRESSION_IN_MOST + 1, sizeof *args);
	size_t n = 0;
	enum err e = parser_expect(p, TOKEN_OPEN);

	args[0] = *left;
	while (e == OK) {
		struct node more;

		e = operand_parse(p, OPERAND_OTHER,
				  n < EXPRESSION_IN_MOST ? &args[n + 1] : &more);
		n++;
		if (e != OK || !parser_accept(p, TOKEN_COMMA))
			break;
	}
	if (e == OK)
		e = parser_expect(p, TOKEN_CLOSE);
	if (e == OK && n > EXPRESSION_IN_MOST)
		parser_fault(p, FAULT_LIMIT,
			     "The IN operator is provided with too many operands; number "
			     "of operands: %zu",
			     n);
	*out = (struct node){.kind = NODE_IN, .args = args, .n = n + 1};
	return e;
}

static bool find_comparator(enum token_kind token, enum node_kind *out)
{
	static const struct {
		enum token_kind token;
		enum node_kind node;
	} comparators[] = {
		{TOKEN_EQUAL, NODE_EQUAL},     {TOKEN_DIFFERENT, NODE_DIFFERENT},
		{TOKEN_LESS, NODE_LESS},       {TOKEN_LESS_EQUAL, NODE_LESS_EQUAL},
		{TOKEN_GREATER, NODE_GREATER}, {TOKEN_GREATER_EQUAL, NODE_GREATER_EQUAL},
	};

	for (size_t i = 0; i < sizeof comparators / sizeof *comparators; i++) {
		*out = comparators[i].node;
		if (comparators[i].token == token)
			return true;
	}
	return false;
}

/* The right side, behind the comparator */
static enum err read_comparison(struct parser *p, enum node_kind kind,
				const struct node *left, struct node *out)
{
	struct node args[] = {*left, {0}};
	enum err e = operand_parse(p, OPERAND_OTHER, &args[1]);

	if (e != OK)
		return e;
	if (kind != NODE_EQUAL && kind != NODE_DIFFERENT) {
		operand_check_ordered(p, node_name(kind), &args[0]);
		operand_check_ordered(p, node_name(kind), &args[1]);
	}
	parser_check_distinct(p, node_name(kind), &args[0], &args[1]);
	*out = node_of(p->a, kind, args, 2);
	return OK;
}

static bool is_predicate(enum node_kind kind)
{
	return kind != NODE_PATH && kind != NODE_VALUE && kind != NODE_SIZE;
}

static void fault_misused(struct parser *p, enum node_kind kind)
{
	parser_fault(p, FAULT_MISUSED,
		     "The function is not allowed to be used this way in an expression; "
		     "function: %s",
		     node_name(kind));
}

/* What follows the first operand of a condition. */
static enum err read_rest(struct parser *p, const struct node *left, struct node *out)
{
	bool between = parser_at_keyword(p, "BETWEEN"), in = parser_at_keyword(p, "IN");
	enum node_kind kind;
	bool compares = find_comparator(parser_next(p)->kind, &kind);

	*out = *left;
	if (!between && !in && !compares) {
		if (left->kind == NODE_SIZE)
			fault_misused(p, left->kind);
		return left->kind == NODE_PATH || left->kind == NODE_VALUE
			       ? parser_syntax_error(p)
			       : OK;
	}
	if (is_predicate(left->kind))
		fault_misused(p, left->kind);
	parser_count_operator(p);
	p->at++;
	if (between)
		return read_between(p, left, out);
	return in ? read_in(p, left, out) : read_comparison(p, kind, left, out);
}

static void wait_for(struct reading *r, enum node_kind kind, bool open)
{
	r->waiting[r->n_waiting++] = (struct waiting){kind, open, r->p->at};
	if (!open)
		parser_count_operator(r->p);
	r->p->at++;
}

/* Where a condition must begin. done becomes true when one has been read. */
static enum err read_first(struct reading *r, bool *done)
{
	struct parser *p = r->p;
	struct node left = {0};
	enum err e;

	*done = false;
	if (parser_at_keyword(p, "NOT")) {
		wait_for(r, NODE_NOT, false);
		return OK;
	}
	if (parser_next(p)->kind == TOKEN_OPEN) {
		wait_for(r, NODE_AND, true);
		return OK;
	}
	e = operand_parse(p, OPERAND_FIRST, &left);
	if (e == OK)
		e = read_rest(p, &left, &r->done[r->n_done]);
	if (e != OK)
		return e;
	r->n_done++;
	*done = true;
	return OK;
}

/* Join what waits, down to a parenthesis or to an operator that binds weaker than kind. */
static void join(struct reading *r, enum node_kind kind)
{
	while (r->n_waiting > 0) {
		struct waiting *w = &r->waiting[r->n_waiting - 1];
		size_t n = w->kind == NODE_NOT ? 1 : 2;

		/* the enumerators ascend with the binding */
		if (w->open || w->kind < kind)
			return;
		r->n_done -= n;
		r->done[r->n_done] = node_of(r->p->a, w->kind, &r->done[r->n_done], n);
		r->n_done++;
		r->n_waiting--;
	}
}

/* "((…))" says nothing that "(…)" does not. */
static enum err close_parenthesis(struct reading *r)
{
	struct parser *p = r->p;
	size_t open;

	join(r, NODE_OR);
	if (r->n_waiting == 0)
		return parser_syntax_error(p);
	open = r->waiting[--r->n_waiting].at;
	if (r->last_close > 0 && r->last_open == open + 1 && r->last_close == p->at - 1)
		parser_fault(p, FAULT_PARENTHESES,
			     "The expression has redundant parentheses;");
	r->last_open = open;
	r->last_close = p->at++;
	return OK;
}

/* What may follow a condition. more: another one must come. */
static enum err read_next(struct reading *r, bool *more)
{
	struct parser *p = r->p;
	enum node_kind kind = parser_at_keyword(p, "OR") ? NODE_OR : NODE_AND;

	if (parser_next(p)->kind == TOKEN_CLOSE)
		return close_parenthesis(r);
	*more = kind == NODE_OR || parser_at_keyword(p, "AND");
	if (!*more)
		return parser_syntax_error(p);
	join(r, kind);
	wait_for(r, kind, false);
	return OK;
}

static enum err read_condition(struct parser *p, struct node *out)
{
	size_t room = p->text.n + 1;
	struct reading r = {.p = p,
			    .waiting = arena_calloc(p->a, room, sizeof *r.waiting),
			    .done = arena_calloc(p->a, room, sizeof *r.done)};
	bool done = false, more = false;
	enum err e = OK;

	while (e == OK && !(done && parser_next(p)->kind == TOKEN_END)) {
		if (!done) {
			e = read_first(&r, &done);
			continue;
		}
		more = false;
		e = read_next(&r, &more);
		done = !more;
	}
	if (e != OK)
		return e;
	join(&r, NODE_OR);
	if (r.n_waiting > 0) /* a parenthesis that is not closed */
		return parser_syntax_error(p);
	*out = r.done[0];
	return OK;
}

enum err condition_parse(struct arena *a, const char *what, struct span text,
			 struct placeholders *placeholders, struct condition **out,
			 struct refusal *no)
{
	struct condition *c = arena_calloc(a, 1, sizeof *c);
	struct parser p;
	enum err e = parser_begin(&p, a, what, text, placeholders, no);

	if (e == OK)
		e = read_condition(&p, &c->root);
	if (e == OK)
		e = parser_end(&p);
	c->paths = p.paths;
	c->n_paths = p.n_paths;
	*out = c;
	return e;
}
