#include "base/log.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

/* A line of PIPE_BUF bytes is written whole, also when several processes share the pipe. */
enum { LINE = 4096, SPARE = 24, MOST_FIELDS = 24 };

struct line {
	size_t n;
	char p[LINE];
};

static struct {
	char name[64];
	enum log_level least;
	enum log_format format;
} self = {"gatepost", LOG_INFO, LOG_TEXT};

static const char *const level_names[] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_WARN] = "warn",
	[LOG_ERROR] = "error",
};

void log_init(const char *name, enum log_level least, enum log_format format)
{
	snprintf(self.name, sizeof self.name, "%s", name);
	self.least = least;
	self.format = format;
}

bool log_is_on(enum log_level level)
{
	return level >= self.least;
}

static void put(struct line *l, const char *s, size_t n)
{
	if (n > LINE - l->n)
		n = LINE - l->n;
	memcpy(l->p + l->n, s, n);
	l->n += n;
}

static void put_str(struct line *l, const char *s)
{
	put(l, s, strlen(s));
}

/* The code point of a character of n bytes, which utf8_first has found to be one. */
static uint32_t code_point(const uint8_t *p, size_t n)
{
	uint32_t cp = n == 1 ? *p : *p & (0x7fu >> n);

	for (size_t i = 1; i < n; i++)
		cp = cp << 6 | (p[i] & 0x3f);
	return cp;
}

/* What moves a terminal's cursor, breaks a line or turns its direction. */
static bool is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp >= 0x2028 && cp <= 0x202e) ||
	       (cp >= 0x2066 && cp <= 0x2069);
}

/* What stands in the log for the next code point of v; returns how many bytes of v it was. */
static size_t escape(struct span v, char out[8])
{
	size_t len = utf8_first(v);
	uint32_t cp = code_point(v.p, len);

	if (len == 0)
		snprintf(out, 8, self.format == LOG_JSON ? "\\ufffd" : "\\x%02x", *v.p);
	else if (is_control(cp))
		snprintf(out, 8, "\\u%04x", (unsigned)(uint16_t)cp);
	else if (cp == '"' || cp == '\\')
		snprintf(out, 8, "\\%c", (char)cp);
	else
		snprintf(out, 8, "%.*s", (int)len, (const char *)v.p);
	return len ? len : 1;
}

/* A value that does not fit ends with three dots. */
static void put_quoted(struct line *l, struct span v)
{
	put_str(l, "\"");
	while (v.n) {
		char token[8];
		size_t taken = escape(v, token);

		if (l->n + strlen(token) > LINE - SPARE) {
			put_str(l, "...");
			break;
		}
		put_str(l, token);
		v.p += taken;
		v.n -= taken;
	}
	put_str(l, "\"");
}

static bool is_plain(struct span v)
{
	if (v.n == 0 || v.n > LINE)
		return false;
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] <= ' ' || v.p[i] >= 0x7f || v.p[i] == '"' || v.p[i] == '=' ||
		    v.p[i] == '\\')
			return false;
	return true;
}

static void put_value(struct line *l, struct span v)
{
	if (self.format == LOG_TEXT && is_plain(v) && l->n + v.n <= LINE - SPARE)
		put(l, (const char *)v.p, v.n);
	else
		put_quoted(l, v);
}

static void put_field(struct line *l, const struct log_field *f)
{
	char number[24];

	put_str(l, self.format == LOG_JSON ? ",\"" : " ");
	put_str(l, f->key);
	put_str(l, self.format == LOG_JSON ? "\":" : "=");
	switch (f->kind) {
	case LOG_STRING: put_value(l, span_str(f->string ? f->string : "")); break;
	case LOG_SPAN: put_value(l, f->span); break;
	case LOG_NUMBER:
		snprintf(number, sizeof number, "%" PRId64, f->number);
		put_str(l, number);
		break;
	}
}

static void put_head(struct line *l, enum log_level level, const char *what)
{
	char when[CLOCK_ISO];
	bool json = self.format == LOG_JSON;

	clock_iso(clock_wall_ms(), when);
	put_str(l, json ? "{\"time\":\"" : "");
	put_str(l, when);
	put_str(l, json ? "\",\"level\":\"" : " ");
	put_str(l, level_names[level]);
	put_str(l, json ? "\",\"process\":" : " ");
	put_value(l, span_str(self.name));
	put_str(l, json ? ",\"event\":\"" : " ");
	put_str(l, what);
	put_str(l, json ? "\"" : "");
}

void log_write(enum log_level level, const char *what, const struct log_field *fields)
{
	struct line l;

	if (!log_is_on(level))
		return;
	l.n = 0;
	put_head(&l, level, what);
	for (const struct log_field *f = fields; f->key; f++) {
		if (l.n + strlen(f->key) + 2 * SPARE > LINE)
			break; /* no room for it and the end of the line */
		put_field(&l, f);
	}
	put_str(&l, self.format == LOG_JSON ? "}\n" : "\n");
	assert(l.n < LINE);
	while (write(STDERR_FILENO, l.p, l.n) == -1 && errno == EINTR)
		;
}

void log_write_flood(struct log_flood *f, enum log_level level, const char *what,
		     const struct log_field *fields)
{
	struct log_field with[MOST_FIELDS + 2] = {0};
	int64_t second = clock_ms() / 1000 + 1; /* 0: never yet */
	size_t n = 0;

	if (!log_is_on(level))
		return;
	if (f->second == second) {
		f->left_out++;
		return;
	}
	for (; fields[n].key && n < MOST_FIELDS; n++)
		with[n] = fields[n];
	if (f->left_out)
		with[n] = I("left_out", f->left_out);
	log_write(level, what, with);
	f->second = second;
	f->left_out = 0;
}
