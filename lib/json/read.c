#include "json/read.h"

#include "base/utf8.h"
#include "json/string.h"

#include <assert.h>

/*
 * The grammar of RFC 8259, without recursion: of each object or array that is open, one
 * bit says which of the two it is.
 *
 * A value is "on the path" when all steps above it have led to it. Those that are open
 * and on the path are the outermost ones, `matched` of them: one on level n has its
 * children led to by step n - 1.
 */
struct reader {
	const uint8_t *at;
	const uint8_t *end;
	const struct json_path *path;
	struct json_value *out;
	unsigned flags;
	bool not_utf8;
	enum err err;
	const char *expected; /* what is not at `at` */
	size_t depth;         /* how many are open */
	size_t matched;       /* how many of them are on the path */
	size_t index; /* of the next element, in the innermost that is on the path */
	const uint8_t *goal; /* where the one that is looked for began */
	uint64_t objects[JSON_DEPTH_MOST / 64 +
			 1]; /* a bit for each level: not an array */
};

static size_t most_depth = JSON_DEPTH;

void json_set_depth(size_t levels)
{
	assert(levels >= JSON_DEPTH_LEAST && levels <= JSON_DEPTH_MOST);
	most_depth = levels;
}

size_t json_depth(void)
{
	return most_depth;
}

static bool fail(struct reader *rd, const char *expected)
{
	rd->err = ERR_MALFORMED;
	rd->expected = expected;
	return false;
}

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

/* A string that is not UTF-8: functions may return one, others may not. */
static bool is_let_pass(struct reader *rd, struct span raw)
{
	if (rd->flags & JSON_OF_FUNCTION) {
		rd->not_utf8 = true;
		return true;
	}
	rd->at = raw.p + utf8_good(raw);
	return fail(rd, "UTF-8");
}

/* Up to a closing quote, and past it. */
static bool read_string(struct reader *rd, struct span *raw)
{
	const uint8_t *start = rd->at++;
	uint64_t high = 0;

	for (;;) {
		while (rd->end - rd->at >= 8 && !needs_look(rd->at, &high))
			rd->at += 8;
		if (rd->at == rd->end)
			return fail(rd, "the closing quote of a string");
		if (*rd->at == '"')
			break;
		if (*rd->at < 0x20 && !(rd->flags & JSON_OF_FUNCTION))
			return fail(rd, "an escape in the place of a control character");
		if (*rd->at == '\\') {
			size_t n = json_string_escape(
				span_of(rd->at, (size_t)(rd->end - rd->at)));

			if (n == 0)
				return fail(rd, "one of the escapes of JSON");
			rd->at += n;
			continue;
		}
		high |= *rd->at++ & 0x80;
	}
	*raw = span_of(start, (size_t)(++rd->at - start));
	return high == 0 || utf8_check(*raw) || is_let_pass(rd, *raw);
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

static bool read_word(struct reader *rd, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(rd->end - rd->at) < n || memcmp(rd->at, word, n) != 0)
		return fail(rd, "a value");
	rd->at += n;
	return true;
}

/* RFC 8259 6: [ minus ] int [ frac ] [ exp ], and int has no zeroes in front. */
static bool read_number(struct reader *rd)
{
	bool minus = take_one_of(rd, '-', '-');

	if (rd->flags & JSON_OF_FUNCTION && rd->at < rd->end) {
		if (*rd->at == 'I')
			return read_word(rd, "Infinity");
		if (*rd->at == 'N' && !minus)
			return read_word(rd, "NaN");
	}
	if (!take_one_of(rd, '0', '0') && !read_digits(rd))
		return fail(rd, minus ? "a digit" : "a value");
	if (take_one_of(rd, '.', '.') && !read_digits(rd))
		return fail(rd, "a digit");
	if (take_one_of(rd, 'e', 'E')) {
		take_one_of(rd, '+', '-');
		return read_digits(rd) || fail(rd, "a digit");
	}
	return true;
}

static bool read_scalar(struct reader *rd, enum json_kind kind)
{
	struct span raw;

	switch (kind) {
	case JSON_IS_STRING: return read_string(rd, &raw);
	case JSON_IS_TRUE: return read_word(rd, "true");
	case JSON_IS_FALSE: return read_word(rd, "false");
	case JSON_IS_NULL: return read_word(rd, "null");
	case JSON_IS_NUMBER: return read_number(rd);
	case JSON_IS_OBJECT:
	case JSON_IS_ARRAY:
	case JSON_IS_MISSING: break;
	}
	return false;
}

static bool is_in_object(const struct reader *rd)
{
	return rd->objects[rd->depth / 64] >> rd->depth % 64 & 1;
}

static bool open_one(struct reader *rd, bool object, bool on)
{
	uint64_t bit;

	if (rd->depth == most_depth) {
		rd->err = ERR_TOOBIG;
		rd->expected = "less nesting";
		return false;
	}
	rd->depth++;
	bit = UINT64_C(1) << rd->depth % 64;
	if (rd->depth % 64 == 0)
		rd->objects[rd->depth / 64] = 0;
	if (object)
		rd->objects[rd->depth / 64] |= bit;
	else
		rd->objects[rd->depth / 64] &= ~bit;
	if (on) {
		rd->matched = rd->depth;
		rd->index = 0;
		if (rd->depth == rd->path->n + 1)
			rd->goal = rd->at;
	}
	rd->at++;
	return true;
}

/* Behind the bracket that closes the innermost one. */
static void close_one(struct reader *rd)
{
	if (rd->matched == rd->depth) {
		if (rd->depth == rd->path->n + 1)
			*rd->out = (struct json_value){
				json_kind_of(*rd->goal),
				span_of(rd->goal, (size_t)(rd->at - rd->goal))};
		rd->matched--;
		if (rd->matched >
		    0) /* what was closed is the element that this step led to */
			rd->index = rd->path->steps[rd->matched - 1].index + 1;
	}
	rd->depth--;
}

/* A scalar as a whole, of others the opening bracket. */
static bool read_value(struct reader *rd, bool on)
{
	const uint8_t *start;
	enum json_kind kind;

	skip_blank(rd);
	if (rd->at == rd->end)
		return fail(rd, "a value");
	start = rd->at;
	kind = json_kind_of(*start);
	/* The last member of a name wins: what an earlier one led to is gone. */
	if (on)
		*rd->out = (struct json_value){.kind = JSON_IS_MISSING};
	if (kind == JSON_IS_OBJECT || kind == JSON_IS_ARRAY)
		return open_one(rd, kind == JSON_IS_OBJECT, on);
	if (!read_scalar(rd, kind))
		return false;
	if (on && rd->depth == rd->path->n)
		*rd->out = (struct json_value){kind,
					       span_of(start, (size_t)(rd->at - start))};
	return true;
}

/* The step that leads on from the innermost one; NULL when that is off the path, or is the goal. */
static const struct json_step *next_step(const struct reader *rd)
{
	if (rd->matched != rd->depth || rd->depth > rd->path->n)
		return NULL;
	return &rd->path->steps[rd->depth - 1];
}

static bool read_name(struct reader *rd, const struct json_step *s, bool *on)
{
	struct span name;

	skip_blank(rd);
	if (rd->at < rd->end && *rd->at == '"') {
		if (!read_string(rd, &name))
			return false;
		*on = s && s->key.p && json_string_is(name, s->key);
	} else {
		if (!(rd->flags & JSON_BARE_KEYS) || !read_bare(rd, &name))
			return fail(rd, "a name in quotes");
		*on = s && s->key.p && span_eq(name, s->key);
	}
	return take(rd, ':') || fail(rd, "a colon");
}

/* What stands before a value of the innermost one; *on is whether that value is on the path. */
static bool read_front(struct reader *rd, bool *on)
{
	const struct json_step *s = next_step(rd);

	if (is_in_object(rd))
		return read_name(rd, s, on);
	*on = s && s->key.p == NULL && s->index == rd->index++;
	return true;
}

/* Close what is closed here. *more is whether something is open still, and another value comes. */
static bool read_end(struct reader *rd, bool *more)
{
	while (rd->depth > 0) {
		bool object = is_in_object(rd);

		skip_blank(rd);
		if (rd->at < rd->end && *rd->at == ',') {
			rd->at++;
			*more = true;
			return true;
		}
		if (rd->at == rd->end || *rd->at != (object ? '}' : ']'))
			return fail(rd, object ? "a comma or }" : "a comma or ]");
		rd->at++;
		close_one(rd);
	}
	*more = false;
	return true;
}

static bool read_document(struct reader *rd)
{
	bool on = true, more;

	do {
		size_t depth = rd->depth;

		if (!read_value(rd, on))
			return false;
		if (rd->depth >
		    depth) { /* opened: closed at once, or its first value comes */
			more = !take(rd, is_in_object(rd) ? '}' : ']');
			if (!more)
				close_one(rd);
		} else {
			more = false;
		}
		if (!more && !read_end(rd, &more))
			return false;
		if (more && !read_front(rd, &on))
			return false;
	} while (more);
	skip_blank(rd);
	return rd->at == rd->end || fail(rd, "the end");
}

enum err json_read(struct span doc, const struct json_path *path, unsigned flags,
		   struct json_value *out, struct json_report *report)
{
	static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
	struct reader rd;

	/* All but the bits above: open_one clears them when it gets there. */
	rd.objects[0] = 0;
	rd.at = doc.p;
	rd.end = doc.p + doc.n;
	rd.path = path;
	rd.out = out;
	rd.flags = flags;
	rd.not_utf8 = false;
	rd.err = OK;
	rd.expected = "";
	rd.depth = rd.matched = rd.index = 0;
	rd.goal = NULL;
	if (flags & JSON_OF_FUNCTION && doc.n >= sizeof mark &&
	    memcmp(doc.p, mark, sizeof mark) == 0)
		rd.at += sizeof mark;
	*out = (struct json_value){.kind = JSON_IS_MISSING};
	if (read_document(&rd))
		rd.err = OK;
	if (report != NULL)
		*report = (struct json_report){rd.not_utf8, (size_t)(rd.at - doc.p),
					       rd.expected};
	return rd.err;
}

enum err json_find(struct span doc, const struct json_path *path, struct json_value *out)
{
	return json_read(doc, path, 0, out, NULL);
}
