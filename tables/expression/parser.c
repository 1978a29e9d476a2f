#include "tables/expression/parser.h"
#include "tables/expression/reserved.h"

#include <stdarg.h>

enum err parser_begin(struct parser *p, struct arena *a, const char *what,
		      struct span text, struct placeholders *placeholders,
		      struct refusal *no)
{
	*p = (struct parser){.a = a,
			     .what = what,
			     .text = text,
			     .placeholders = placeholders,
			     .no = no};
	placeholders_count_expression(placeholders);
	if (text.n > EXPRESSION_MOST)
		return refuse(a, no,
			      "Invalid %s: Expression size has exceeded the maximum "
			      "allowed size; expression size: %zu",
			      what, text.n);
	p->tokens = lexer_read(a, text);
	if (parser_next(p)->kind == TOKEN_END)
		return refuse(a, no, "Invalid %s: The expression can not be empty;",
			      what);
	return OK;
}

enum err parser_end(struct parser *p)
{
	for (size_t i = 0; i < FAULTS; i++) {
		if (p->faults[i])
			return refuse(p->a, p->no, "Invalid %s: %s", p->what,
				      p->faults[i]);
	}
	return OK;
}

bool parser_accept(struct parser *p, enum token_kind kind)
{
	if (parser_next(p)->kind != kind)
		return false;
	if (kind != TOKEN_END)
		p->at++;
	return true;
}

enum err parser_expect(struct parser *p, enum token_kind kind)
{
	return parser_accept(p, kind) ? OK : parser_syntax_error(p);
}

bool parser_at_keyword(const struct parser *p, const char *word)
{
	const struct token *t = parser_next(p);

	return t->kind == TOKEN_NAME && span_is_nocase(t->text, word);
}

bool parser_accept_keyword(struct parser *p, const char *word)
{
	bool found = parser_at_keyword(p, word);

	p->at += found;
	return found;
}

bool parser_at_function(const struct parser *p)
{
	return parser_next(p)->kind == TOKEN_NAME &&
	       p->tokens[p->at + 1].kind == TOKEN_OPEN;
}

/* near: from the token before it to the one behind it, as they stand in the text. */
enum err parser_syntax_error(struct parser *p)
{
	const struct token *t = parser_next(p);
	const struct token *before = p->at > 0 ? t - 1 : t;
	const struct token *behind = t->kind == TOKEN_END ? t : t + 1;
	size_t n = (size_t)(behind->text.p + behind->text.n - before->text.p);
	struct span token = t->kind == TOKEN_END ? span_str("<EOF>") : t->text;
	struct span near = span_trim(span_of(before->text.p, n));

	return refuse(p->a, p->no,
		      "Invalid %s: Syntax error; token: \"%.*s\", near: \"%.*s\"",
		      p->what, SPAN_ARG(token), SPAN_ARG(near));
}

void parser_fault(struct parser *p, enum fault kind, const char *fmt, ...)
{
	va_list args;

	if (p->faults[kind])
		return;
	va_start(args, fmt);
	p->faults[kind] = arena_vprintf(p->a, fmt, args);
	va_end(args);
}

void parser_count_operator(struct parser *p)
{
	p->operators++;
	if (p->operators > EXPRESSION_OPERATORS_MOST)
		parser_fault(p, FAULT_LIMIT,
			     "The expression contains too many operators and functions; "
			     "maximum allowed: %d",
			     EXPRESSION_OPERATORS_MOST);
}

/* A bare name, or what a placeholder stands for. */
static enum err read_name(struct parser *p, struct path_step *out)
{
	const struct token *t = parser_next(p);

	*out = (struct path_step){.name = t->text};
	if (t->kind == TOKEN_NAME && reserved_word(t->text))
		parser_fault(p, FAULT_RESERVED,
			     "Attribute name is a reserved keyword; reserved keyword: "
			     "%.*s",
			     SPAN_ARG(t->text));
	if (t->kind == TOKEN_NAME_PLACEHOLDER &&
	    !placeholders_name(p->placeholders, t->text, &out->name))
		parser_fault(p, FAULT_UNDEFINED,
			     "An expression attribute name used in the document path is "
			     "not defined; attribute name: %.*s",
			     SPAN_ARG(t->text));
	if (t->kind != TOKEN_NAME && t->kind != TOKEN_NAME_PLACEHOLDER)
		return parser_syntax_error(p);
	p->at++;
	return OK;
}

/* "[digits]", behind the bracket */
static enum err read_index(struct parser *p, struct path_step *out)
{
	struct span digits = parser_next(p)->text;
	uint64_t index = 0;
	enum err e = parser_expect(p, TOKEN_DIGITS);

	if (e != OK)
		return e;
	for (size_t i = 0; i < digits.n && index <= PATH_INDEX_MOST; i++)
		index = 10 * index + (digits.p[i] - '0');
	if (index > PATH_INDEX_MOST)
		parser_fault(p, FAULT_LIMIT,
			     "List index is not within the allowable range; index: "
			     "[%.*s]",
			     SPAN_ARG(digits));
	*out = (struct path_step){.is_index = true, .index = (uint32_t)index};
	return parser_expect(p, TOKEN_CLOSE_INDEX);
}

static void keep_path(struct parser *p, struct path path)
{
	if (p->n_paths == p->room_paths) {
		size_t room = p->room_paths > 0 ? 2 * p->room_paths : 4;
		struct path *more = arena_calloc(p->a, room, sizeof *more);

		if (p->n_paths > 0)
			memcpy(more, p->paths, p->n_paths * sizeof *more);
		p->paths = more;
		p->room_paths = room;
	}
	p->paths[p->n_paths++] = path;
}

enum err parser_path(struct parser *p, struct path *out)
{
	struct path_step steps[PATH_STEPS_MOST + 1], *copy;
	size_t n = 1;
	enum err e = read_name(p, &steps[0]);

	while (e == OK) {
		struct path_step *step =
			&steps[n < PATH_STEPS_MOST ? n : PATH_STEPS_MOST];

		if (parser_accept(p, TOKEN_DOT))
			e = read_name(p, step);
		else if (parser_accept(p, TOKEN_OPEN_INDEX))
			e = read_index(p, step);
		else
			break;
		n++;
	}
	if (e != OK)
		return e;
	if (n > PATH_STEPS_MOST) {
		parser_fault(p, FAULT_LIMIT,
			     "The document path has too many nesting elements; nesting "
			     "levels: %zu",
			     n);
		n = PATH_STEPS_MOST;
	}
	copy = arena_alloc(p->a, n * sizeof *copy);
	memcpy(copy, steps, n * sizeof *copy);
	*out = (struct path){copy, n};
	keep_path(p, *out);
	return OK;
}

enum err parser_value(struct parser *p, struct node *out)
{
	struct span key = parser_next(p)->text;
	enum err e = parser_expect(p, TOKEN_VALUE_PLACEHOLDER);

	if (e != OK)
		return e;
	*out = node_of_value(placeholders_value(p->placeholders, key));
	if (!out->value)
		parser_fault(p, FAULT_UNDEFINED,
			     "An expression attribute value used in expression is not "
			     "defined; attribute value: %.*s",
			     SPAN_ARG(key));
	return OK;
}

enum err parser_path_or_value(struct parser *p, struct node *out)
{
	*out = (struct node){.kind = NODE_PATH};
	return parser_next(p)->kind == TOKEN_VALUE_PLACEHOLDER
		       ? parser_value(p, out)
		       : parser_path(p, &out->path);
}

void parser_fault_type(struct parser *p, const char *operator_, const char *type)
{
	parser_fault(p, FAULT_TYPE,
		     "Incorrect operand type for operator or function; operator or "
		     "function: %s, operand type: %s",
		     operator_, type);
}

void parser_check_distinct(struct parser *p, const char *operator_,
			   const struct node *first, const struct node *second)
{
	if (first->kind != NODE_PATH || second->kind != NODE_PATH ||
	    !path_equal(&first->path, &second->path))
		return;
	parser_fault(p, FAULT_DISTINCT,
		     "The first operand must be distinct from the remaining operands for "
		     "this operator or function; operator: %s, first operand: %s",
		     operator_, path_text(p->a, &first->path));
}

void parser_check_clash(struct parser *p, enum path_clash clash, const struct path *path,
			const struct path *other)
{
	if (clash != PATH_FITS)
		parser_fault(p, FAULT_OVERLAP,
			     "Two document paths %s with each other; must remove or "
			     "rewrite one of these paths; path one: %s, path two: %s",
			     clash == PATH_OVERLAPS ? "overlap" : "conflict",
			     path_text(p->a, other), path_text(p->a, path));
}
