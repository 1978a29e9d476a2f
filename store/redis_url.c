/*
 * Every function here returns NULL when all is well, else what is wrong in a few words
 * that hold nothing of the text: it may be a password.
 */
#include "store/redis_url.h"

#include "base/span.h"

#include <stdio.h>
#include <string.h>

static const char forms[] =
	"write unix:/path, redis://[[user:]password@]host[:port][/db] or host:port";

static const char *read_unix(struct span path, struct redis_url *out);
static const char *read_tcp(struct span rest, bool url, struct redis_url *out);

static bool cut_front(struct span *s, const char *word)
{
	size_t n = strlen(word);

	if (s->n < n || memcmp(s->p, word, n) != 0)
		return false;
	*s = span_of(s->p + n, s->n - n);
	return true;
}

enum err redis_url_parse(const char *text, struct redis_url *out, char *why, size_t n)
{
	struct span s = span_str(text);
	const char *wrong = NULL;

	*out = (struct redis_url){.port = 6379};
	if (cut_front(&s, "unix:"))
		wrong = read_unix(s, out);
	else if (cut_front(&s, "redis://"))
		wrong = read_tcp(s, true, out);
	else if (cut_front(&s, "rediss://"))
		wrong = "TLS to Redis is not supported";
	else if (strstr(text, "://") != NULL)
		wrong = "not a scheme for Redis";
	else
		wrong = read_tcp(s, false, out);
	if (wrong == NULL)
		return OK;
	snprintf(why, n, "%s; %s", wrong, forms);
	return ERR_MALFORMED;
}

static const char *read_unix(struct span path, struct redis_url *out)
{
	if (path.n == 0 || path.p[0] != '/')
		return "the path of a Unix socket begins with /";
	if (path.n >= sizeof out->path)
		return "the path of a Unix socket has at most 107 characters";
	memcpy(out->path, path.p, path.n);
	snprintf(out->shown, sizeof out->shown, "unix:%s", out->path);
	return NULL;
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* %XX into bytes. A zero byte is no part of a name: it would end the text early. */
static const char *read_escaped(struct span in, char *out, size_t room)
{
	size_t n = 0;

	for (size_t i = 0; i < in.n; i++) {
		int c = in.p[i];

		if (n + 1 >= room)
			return "user or password is too long";
		if (c == '%') {
			int high = i + 2 < in.n ? hex_digit(in.p[i + 1]) : -1;
			int low = high < 0 ? -1 : hex_digit(in.p[i + 2]);

			if (low < 0 || (high == 0 && low == 0))
				return "% without two hex digits in user or password (a "
				       "% is %25)";
			c = high << 4 | low;
			i += 2;
		}
		out[n++] = (char)c;
	}
	out[n] = '\0';
	return NULL;
}

static const char *read_login(struct span in, struct redis_url *out)
{
	const uint8_t *colon = memchr(in.p, ':', in.n);
	size_t at = colon == NULL ? 0 : (size_t)(colon - in.p);
	const char *wrong = read_escaped(span_of(in.p, at), out->user, sizeof out->user);

	if (wrong != NULL)
		return wrong;
	if (colon != NULL)
		in = span_of(colon + 1, in.n - at - 1);
	if (in.n == 0)
		return "no password before the @";
	return read_escaped(in, out->password, sizeof out->password);
}

/* Decimal digits and nothing else, at most `most`. */
static bool read_number(struct span in, uint32_t most, uint32_t *out)
{
	uint32_t v = 0;

	if (in.n == 0 || in.n > 9)
		return false;
	for (size_t i = 0; i < in.n; i++) {
		if (in.p[i] < '0' || in.p[i] > '9')
			return false;
		v = v * 10 + (uint32_t)(in.p[i] - '0');
	}
	*out = v;
	return v <= most;
}

static bool is_host(struct span in)
{
	for (size_t i = 0; i < in.n; i++)
		if (in.p[i] <= ' ' || in.p[i] >= 0x7f ||
		    strchr("/?#@[]\\\"", in.p[i]) != NULL)
			return false;
	return in.n > 0;
}

/* "host", "host:port", "[::1]", "[::1]:port" */
static const char *read_place(struct span in, bool need_port, struct redis_url *out)
{
	struct span host = in, port = {0};
	const uint8_t *end = NULL;
	uint32_t number = out->port;

	if (in.n > 0 && in.p[0] == '[') {
		end = memchr(in.p, ']', in.n);
		if (end == NULL)
			return "[ without ]";
		host = span_of(in.p + 1, (size_t)(end - in.p) - 1);
		end++;
		if (end < in.p + in.n && *end != ':')
			return "only :port may stand behind the ]";
	} else {
		end = memchr(in.p, ':', in.n);
		if (end != NULL)
			host = span_of(in.p, (size_t)(end - in.p));
	}
	if (end != NULL && end < in.p + in.n)
		port = span_of(end + 1, in.n - (size_t)(end + 1 - in.p));
	else if (need_port)
		return "no port";
	if (!is_host(host) || host.n >= sizeof out->host)
		return "no host, or not a host's name";
	if (port.p != NULL && (!read_number(port, 65535, &number) || number == 0))
		return "the port is a number from 1 to 65535";
	memcpy(out->host, host.p, host.n);
	out->port = (uint16_t)number;
	return NULL;
}

/* Cut at the last `c`; the part before it goes to front. */
static bool cut_at_last(struct span *s, char c, struct span *front)
{
	for (size_t i = s->n; i > 0; i--)
		if (s->p[i - 1] == (uint8_t)c) {
			*front = span_of(s->p, i - 1);
			*s = span_of(s->p + i, s->n - i);
			return true;
		}
	return false;
}

static const char *read_tcp(struct span rest, bool url, struct redis_url *out)
{
	const char *wrong = NULL;
	struct span login, db;
	const uint8_t *slash;

	if (url && cut_at_last(&rest, '@', &login))
		wrong = read_login(login, out);
	if (wrong != NULL)
		return wrong;

	slash = url ? memchr(rest.p, '/', rest.n) : NULL;
	if (slash != NULL) {
		db = span_of(slash + 1, rest.n - (size_t)(slash + 1 - rest.p));
		rest.n = (size_t)(slash - rest.p);
		if (db.n > 0 && !read_number(db, INT32_MAX, &out->db))
			return "the database behind the / is a number";
	}
	wrong = read_place(rest, !url, out);
	if (wrong == NULL)
		snprintf(out->shown, sizeof out->shown,
			 strchr(out->host, ':') ? "[%s]:%u" : "%s:%u", out->host,
			 out->port);
	return wrong;
}
