#include "broker/json.h"

#include "base/utf8.h"
#include "broker/json_string.h"

/*
 * The grammar of RFC 8259, top down. A value "on the path" is one that all steps
 * above it have led to; it carries how many steps that were, others carry OFF.
 */
enum { OFF = -1 };

struct reader {
	const uint8_t *at;
	const uint8_t *end;
	const struct json_path *path;
	struct json_value *out;
	int depth;
	bool bare_keys;
};

static bool read_value(struct reader *rd, int steps);
static bool read_array(struct reader *rd, int steps);
static bool read_object(struct reader *rd, int steps);
static bool read_string(struct reader *rd, struct span *raw);
static bool read_number(struct reader *rd);
static bool read_word(struct reader *rd, const char *word);

static void skip_blank(struct reader *rd)
{
	while (rd->at < rd->end &&
	       (*rd->at == ' ' || *rd->at == '\n' || *rd->at == '\t' || *rd->at == '\r'))
		rd->at++;
}

/* Is the next character, after blanks, c? Then it is taken. */
static bool take(struct reader *rd, char c)
{
	skip_blank(rd);
	if (rd->at == rd->end || *rd->at != (uint8_t)c)
		return false;
	rd->at++;
	return true;
}

static enum err find(struct reader *rd)
{
	*rd->out = (struct json_value){.kind = JSON_IS_MISSING};
	if (rd->at == rd->end || !read_value(rd, 0))
		return ERR_MALFORMED;
	skip_blank(rd);
	return rd->at == rd->end ? OK : ERR_MALFORMED;
}

enum err json_find(struct span doc, const struct json_path *path, struct json_value *out)
{
	return find(&(struct reader){
		.at = doc.p, .end = doc.p + doc.n, .path = path, .out = out});
}

enum err json_find_lenient(struct span doc, const struct json_path *path,
			   struct json_value *out)
{
	return find(&(struct reader){.at = doc.p,
				     .end = doc.p + doc.n,
				     .path = path,
				     .out = out,
				     .bare_keys = true});
}

enum json_kind json_kind_of(uint8_t first)
{
	switch (first) {
	case '"': return JSON_IS_STRING;
	case '{': return JSON_IS_OBJECT;
	case '[': return JSON_IS_ARRAY;
	case 't': return JSON_IS_TRUE;
	case 'f': return JSON_IS_FALSE;
	case 'n': return JSON_IS_NULL;
	default: return JSON_IS_NUMBER;
	}
}

static bool read_kind(struct reader *rd, enum json_kind kind, int steps)
{
	struct span raw;

	switch (kind) {
	case JSON_IS_STRING: return read_string(rd, &raw);
	case JSON_IS_OBJECT: return read_object(rd, steps);
	case JSON_IS_ARRAY: return read_array(rd, steps);
	case JSON_IS_TRUE: return read_word(rd, "true");
	case JSON_IS_FALSE: return read_word(rd, "false");
	case JSON_IS_NULL: return read_word(rd, "null");
	case JSON_IS_NUMBER: return read_number(rd);
	case JSON_IS_MISSING: break;
	}
	return false;
}

static bool read_value(struct reader *rd, int steps)
{
	skip_blank(rd);
	if (rd->at == rd->end)
		return false;

	const uint8_t *start = rd->at;
	enum json_kind kind = json_kind_of(*start);

	/* The last member of a name wins: what an earlier one led to is gone. */
	if (steps != OFF)
		*rd->out = (struct json_value){.kind = JSON_IS_MISSING};
	if (!read_kind(rd, kind, steps))
		return false;
	if (steps != OFF && (size_t)steps == rd->path->n)
		*rd->out = (struct json_value){kind,
					       span_of(start, (size_t)(rd->at - start))};
	return true;
}

/* The step that leads on from a value on the path; NULL when it is off, or is the goal. */
static const struct json_step *next_step(const struct reader *rd, int steps)
{
	if (steps == OFF || (size_t)steps == rd->path->n)
		return NULL;
	return &rd->path->steps[steps];
}

static bool read_array(struct reader *rd, int steps)
{
	const struct json_step *s = next_step(rd, steps);
	size_t index = 0;

	if (++rd->depth > JSON_DEPTH)
		return false;
	rd->at++;
	if (!take(rd, ']')) {
		do {
			bool on = s && s->key.p == NULL && s->index == index++;

			if (!read_value(rd, on ? steps + 1 : OFF))
				return false;
		} while (take(rd, ','));
		if (!take(rd, ']'))
			return false;
	}
	rd->depth--;
	return true;
}

/*
 * Whether one of eight bytes needs a look: a quote, a backslash, or a control byte
 * (the classic "has a byte less than n" and "has a zero byte", whose false alarms
 * only cost a look). Bytes of 0x80 and over pass; high gathers them.
 */
static bool needs_look(const uint8_t *p, uint64_t *high)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	const uint64_t tops = UINT64_C(0x8080808080808080);
	uint64_t v;

	memcpy(&v, p, 8);

	uint64_t quote = v ^ ones * '"';
	uint64_t slash = v ^ ones * '\\';
	uint64_t found = ((v - ones * 0x20) & ~v) | ((quote - ones) & ~quote) |
			 ((slash - ones) & ~slash);

	if (found & tops)
		return true;
	*high |= v & tops;
	return false;
}

/* Up to a closing quote, and past it. */
static bool read_string(struct reader *rd, struct span *raw)
{
	const uint8_t *start = rd->at++;
	uint64_t high = 0;

	for (;;) {
		while (rd->end - rd->at >= 8 && !needs_look(rd->at, &high))
			rd->at += 8;
		if (rd->at == rd->end || *rd->at < 0x20)
			return false;
		if (*rd->at == '"')
			break;
		if (*rd->at == '\\') {
			size_t n = json_string_escape(
				span_of(rd->at, (size_t)(rd->end - rd->at)));

			if (n == 0)
				return false;
			rd->at += n;
			continue;
		}
		high |= *rd->at++ & 0x80;
	}
	*raw = span_of(start, (size_t)(++rd->at - start));
	return high == 0 || utf8_check(*raw);
}

static bool is_of_name(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '$' || c == '-';
}

/* A key without quotes: a name as in JavaScript. */
static bool read_bare(struct reader *rd, struct span *name)
{
	const uint8_t *from = rd->at;

	while (rd->at < rd->end && is_of_name(*rd->at))
		rd->at++;
	*name = span_of(from, (size_t)(rd->at - from));
	return name->n > 0;
}

static bool read_member(struct reader *rd, int steps, const struct json_step *s)
{
	struct span name;
	bool on;

	skip_blank(rd);
	if (rd->at == rd->end)
		return false;
	if (*rd->at == '"') {
		if (!read_string(rd, &name))
			return false;
		on = s && s->key.p && json_string_is(name, s->key);
	} else {
		if (!rd->bare_keys || !read_bare(rd, &name))
			return false;
		on = s && s->key.p && span_eq(name, s->key);
	}
	if (!take(rd, ':'))
		return false;
	return read_value(rd, on ? steps + 1 : OFF);
}

static bool read_object(struct reader *rd, int steps)
{
	const struct json_step *s = next_step(rd, steps);

	if (++rd->depth > JSON_DEPTH)
		return false;
	rd->at++;
	if (!take(rd, '}')) {
		do {
			if (!read_member(rd, steps, s))
				return false;
		} while (take(rd, ','));
		if (!take(rd, '}'))
			return false;
	}
	rd->depth--;
	return true;
}

/* One digit at least. */
static bool read_digits(struct reader *rd)
{
	const uint8_t *start = rd->at;

	while (rd->at < rd->end && *rd->at >= '0' && *rd->at <= '9')
		rd->at++;
	return rd->at > start;
}

static bool take_one_of(struct reader *rd, char a, char b)
{
	if (rd->at == rd->end || (*rd->at != (uint8_t)a && *rd->at != (uint8_t)b))
		return false;
	rd->at++;
	return true;
}

/* RFC 8259 6: [ minus ] int [ frac ] [ exp ], and int has no zeroes in front. */
static bool read_number(struct reader *rd)
{
	take_one_of(rd, '-', '-');
	if (!take_one_of(rd, '0', '0') && !read_digits(rd))
		return false;
	if (take_one_of(rd, '.', '.') && !read_digits(rd))
		return false;
	if (take_one_of(rd, 'e', 'E')) {
		take_one_of(rd, '+', '-');
		return read_digits(rd);
	}
	return true;
}

static bool read_word(struct reader *rd, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(rd->end - rd->at) < n || memcmp(rd->at, word, n) != 0)
		return false;
	rd->at += n;
	return true;
}
