#ifndef TABLES_LEXER_H
#define TABLES_LEXER_H

/* The tokens of an expression. Blanks separate them and mean nothing else. */

#include "base/arena.h"

enum token_kind {
	TOKEN_NAME, /* letter, then letters, digits, '_'; also keywords and functions */
	TOKEN_NAME_PLACEHOLDER,  /* '#' and a word */
	TOKEN_VALUE_PLACEHOLDER, /* ':' and a word */
	TOKEN_DIGITS,
	TOKEN_OPEN, /* ( */
	TOKEN_CLOSE,
	TOKEN_OPEN_INDEX, /* [ */
	TOKEN_CLOSE_INDEX,
	TOKEN_COMMA,
	TOKEN_DOT,
	TOKEN_EQUAL,
	TOKEN_DIFFERENT, /* <> */
	TOKEN_LESS,
	TOKEN_LESS_EQUAL,
	TOKEN_GREATER,
	TOKEN_GREATER_EQUAL,
	TOKEN_PLUS,
	TOKEN_MINUS,
	TOKEN_WRONG, /* a character or a word that no expression may have */
	TOKEN_END,
};

struct token {
	enum token_kind kind;
	struct span
		text; /* as it stands in the expression; of TOKEN_END empty, at its end */
};

/* All tokens of text in an array, TOKEN_END last. At most text.n + 1. */
const struct token *lexer_read(struct arena *a, struct span text);

/* Is c one of the characters of a word: a letter, a digit, '_'? */
bool lexer_is_word(uint8_t c);

#endif
