#ifndef TABLES_PARSER_H
#define TABLES_PARSER_H

/*
 * What the parsers of all kinds of expressions share: where they are in the tokens, paths and
 * values, and what was found wrong.
 *
 * A syntax error ends the parsing. All else that is wrong (a fault) is kept until the end: DynamoDB names
 * syntax errors first, then the faults in the order of enum fault.
 */

#include "tables/expression/expression.h"
#include "tables/expression/lexer.h"
#include "tables/expression/tree.h"

enum fault {
	FAULT_PARENTHESES,
	FAULT_FUNCTION, /* unknown */
	FAULT_MISUSED,  /* a function where it may not stand */
	FAULT_RESERVED,
	FAULT_SECTION, /* of an update, twice */
	FAULT_UNDEFINED,
	FAULT_LIMIT,
	FAULT_OVERLAP,  /* also conflict */
	FAULT_OPERANDS, /* their number */
	FAULT_DISTINCT,
	FAULT_TYPE,
	FAULTS,
};

struct parser {
	struct arena *a;
	const char *what; /* the parameter: "UpdateExpression" */
	struct span text;
	struct placeholders *placeholders;
	const struct token *tokens; /* TOKEN_END is the last */
	size_t at;                  /* of the next one */
	size_t operators;           /* and functions, so far */
	struct path *paths;         /* all so far */
	size_t n_paths, room_paths;
	const char *faults[FAULTS]; /* the first one of each kind; NULL: none */
	struct refusal *no;
};

/* Begin with the text. ERR_MALFORMED: it is empty or too long; no is filled. */
must_use enum err parser_begin(struct parser *p, struct arena *a, const char *what,
			       struct span text, struct placeholders *placeholders,
			       struct refusal *no);

/* At the end of the text: ERR_MALFORMED when there were faults, and fills no. */
must_use enum err parser_end(struct parser *p);

static inline const struct token *parser_next(const struct parser *p)
{
	return &p->tokens[p->at];
}

/* Go behind the next token if it is one of kind. */
bool parser_accept(struct parser *p, enum token_kind kind);

/* The same; a syntax error if it is not. */
must_use enum err parser_expect(struct parser *p, enum token_kind kind);

/* Is the next token this keyword, in any case? */
bool parser_at_keyword(const struct parser *p, const char *word);
bool parser_accept_keyword(struct parser *p, const char *word);

/* Is the next token the name of a function: followed by a parenthesis? */
bool parser_at_function(const struct parser *p);

/* Refuse for the next token; returns ERR_MALFORMED. */
enum err parser_syntax_error(struct parser *p);

/* Keep a fault, if there is none of this kind yet. */
void parser_fault(struct parser *p, enum fault kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* One operator or function more. */
void parser_count_operator(struct parser *p);

must_use enum err parser_path(struct parser *p, struct path *out);

/* A path or a value placeholder, as a node. A value that is not defined is NULL. */
must_use enum err parser_path_or_value(struct parser *p, struct node *out);
must_use enum err parser_value(struct parser *p, struct node *out);

/* The literal's type is none that this operator can ever take. */
void parser_fault_type(struct parser *p, const char *operator_, const char *type);

/* A fault when both are the same path. */
void parser_check_distinct(struct parser *p, const char *operator_,
			   const struct node *first, const struct node *second);

/* A fault when a path did not fit into a path_tree beside another one. */
void parser_check_clash(struct parser *p, enum path_clash clash, const struct path *path,
			const struct path *other);

#endif
