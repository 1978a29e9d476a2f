#include "tables/expression/lexer.h"

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool lexer_is_word(uint8_t c)
{
	return is_letter(c) || is_digit(c) || c == '_';
}

static size_t word_length(struct span s)
{
	size_t n = 0;

	while (n < s.n && lexer_is_word(s.p[n]))
		n++;
	return n;
}

/* Digits alone are an index; a bare name begins with a letter. */
static struct token read_word(struct span rest)
{
	struct token t = {TOKEN_DIGITS, span_of(rest.p, word_length(rest))};

	for (size_t i = 0; i < t.text.n; i++) {
		if (!is_digit(t.text.p[i]))
			t.kind = is_letter(rest.p[0]) ? TOKEN_NAME : TOKEN_WRONG;
	}
	return t;
}

static struct token read_placeholder(struct span rest)
{
	size_t n = word_length(span_of(rest.p + 1, rest.n - 1));
	enum token_kind kind =
		rest.p[0] == '#' ? TOKEN_NAME_PLACEHOLDER : TOKEN_VALUE_PLACEHOLDER;

	return (struct token){n > 0 ? kind : TOKEN_WRONG, span_of(rest.p, n + 1)};
}

static struct token read_less(struct span rest)
{
	uint8_t next = rest.n > 1 ? rest.p[1] : 0;

	if (next == '>')
		return (struct token){TOKEN_DIFFERENT, span_of(rest.p, 2)};
	if (next == '=')
		return (struct token){TOKEN_LESS_EQUAL, span_of(rest.p, 2)};
	return (struct token){TOKEN_LESS, span_of(rest.p, 1)};
}

static struct token read_greater(struct span rest)
{
	if (rest.n > 1 && rest.p[1] == '=')
		return (struct token){TOKEN_GREATER_EQUAL, span_of(rest.p, 2)};
	return (struct token){TOKEN_GREATER, span_of(rest.p, 1)};
}

/* A whole character of UTF-8, so that an error shows it. */
static struct token read_wrong(struct span rest)
{
	size_t n = 1;

	while (n < rest.n && (rest.p[n] & 0xc0) == 0x80)
		n++;
	return (struct token){TOKEN_WRONG, span_of(rest.p, n)};
}

static struct token read_token(struct span rest)
{
	struct span one = span_of(rest.p, 1);

	switch (rest.p[0]) {
	case '#':
	case ':': return read_placeholder(rest);
	case '<': return read_less(rest);
	case '>': return read_greater(rest);
	case '(': return (struct token){TOKEN_OPEN, one};
	case ')': return (struct token){TOKEN_CLOSE, one};
	case '[': return (struct token){TOKEN_OPEN_INDEX, one};
	case ']': return (struct token){TOKEN_CLOSE_INDEX, one};
	case ',': return (struct token){TOKEN_COMMA, one};
	case '.': return (struct token){TOKEN_DOT, one};
	case '=': return (struct token){TOKEN_EQUAL, one};
	case '+': return (struct token){TOKEN_PLUS, one};
	case '-': return (struct token){TOKEN_MINUS, one};
	default: break;
	}
	return lexer_is_word(rest.p[0]) ? read_word(rest) : read_wrong(rest);
}

const struct token *lexer_read(struct arena *a, struct span text)
{
	struct token *tokens = arena_calloc(a, text.n + 1, sizeof *tokens);
	size_t n = 0, at = 0;

	for (;;) {
		while (at < text.n && is_blank(text.p[at]))
			at++;
		if (at == text.n)
			break;
		tokens[n] = read_token(span_of(text.p + at, text.n - at));
		at += tokens[n++].text.n;
	}
	tokens[n] = (struct token){TOKEN_END, span_of(text.p + at, 0)};
	return tokens;
}
