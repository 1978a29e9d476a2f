/*
 * Every function here returns NULL when all is well, else what is wrong in a few words
 * that hold nothing of the text: it may be a password.
 */
#include "redis/url.h"

#include "base/percent.h"

#include <stdio.h>
#include <string.h>

static const char forms[] =
	"write unix:/path, host:port, redis://[[user:]password@]host[:port][/db], or "
	"redis+sentinel://[[user:]password@]host[:port],…/MASTER[/db]; rediss for TLS";

static const char *read_unix(struct span path, struct redis_url *out);
static const char *read_tcp(struct span rest, bool url, struct redis_url *out);
static const char *read_sentinel(struct span rest, struct redis_url *out);

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
	else if ((out->tls = cut_front(&s, "rediss://")))
		wrong = read_tcp(s, true, out);
	else if (cut_front(&s, "redis+sentinel://"))
		wrong = read_sentinel(s, out);
	else if ((out->tls = cut_front(&s, "rediss+sentinel://")))
		wrong = read_sentinel(s, out);
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

/* %XX into bytes. A zero byte is no part of a name: it would end the text early. */
static const char *read_escaped(struct span in, char *out, size_t room)
{
	size_t n = 0;

	while (in.n > 0) {
		bool escaped = in.p[0] == '%';
		int c = percent_next(&in);

		if (n + 1 >= room)
			return "user or password is too long";
		if (c < 0 || (escaped && c == 0))
			return "% without two hex digits in user or password (a "
			       "% is %25)";
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

/* "host", "host:port", "[::1]", "[::1]:port"; without one, out has the port already */
static const char *read_place(struct span in, bool need_port, struct redis_place *out)
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

/* Cut at the first `c`; what is behind it goes to rest, which else has no bytes. */
static bool cut_at_first(struct span *s, char c, struct span *rest)
{
	const uint8_t *at = s->n == 0 ? NULL : memchr(s->p, c, s->n);

	*rest = span_of(NULL, 0);
	if (at == NULL)
		return false;
	*rest = span_of(at + 1, s->n - (size_t)(at + 1 - s->p));
	s->n = (size_t)(at - s->p);
	return true;
}

static const char *read_db(struct span in, struct redis_url *out)
{
	return in.n == 0 || read_number(in, INT32_MAX, &out->db)
		       ? NULL
		       : "the database behind the / is a number";
}

static const char *read_tcp(struct span rest, bool url, struct redis_url *out)
{
	struct redis_place place = {.port = 6379};
	const char *wrong = NULL;
	struct span login, db;

	if (url && cut_at_last(&rest, '@', &login))
		wrong = read_login(login, out);
	if (wrong == NULL && url && cut_at_first(&rest, '/', &db))
		wrong = read_db(db, out);
	if (wrong == NULL)
		wrong = read_place(rest, !url, &place);
	if (wrong == NULL)
		redis_url_set_place(out, &place);
	return wrong;
}

void redis_url_set_place(struct redis_url *u, const struct redis_place *place)
{
	const char *of = u->sentinels.n > 0 ? u->sentinels.master : "";

	memcpy(u->host, place->host, sizeof u->host);
	u->port = place->port;
	snprintf(u->shown, sizeof u->shown,
		 strchr(place->host, ':') ? "[%s]:%u%s%s%s" : "%s:%u%s%s%s", place->host,
		 place->port, of[0] ? " (" : "", of, of[0] ? ")" : "");
}

/* ---- sentinels ---- */

static const char *read_sentinels(struct span list, struct redis_sentinels *out)
{
	struct span rest;
	bool more = true;

	while (more) {
		struct redis_place *place = &out->at[out->n];
		const char *wrong;

		more = cut_at_first(&list, ',', &rest);
		if (out->n == REDIS_URL_SENTINELS)
			return "more than 16 sentinels";
		place->port = 26379;
		wrong = read_place(list, false, place);
		if (wrong != NULL)
			return wrong;
		out->n++;
		list = rest;
	}
	return NULL;
}

/* "sentinel_user=…&sentinel_password=…" */
static const char *read_query(struct span list, struct redis_sentinels *out)
{
	struct span rest;
	bool more = true;

	while (more) {
		const char *wrong = "behind the ? only sentinel_user=… and "
				    "sentinel_password=… may stand (a ? in a password "
				    "is %3F)";

		more = cut_at_first(&list, '&', &rest);
		if (cut_front(&list, "sentinel_user="))
			wrong = read_escaped(list, out->user, sizeof out->user);
		else if (cut_front(&list, "sentinel_password="))
			wrong = read_escaped(list, out->password, sizeof out->password);
		if (wrong != NULL)
			return wrong;
		list = rest;
	}
	return out->user[0] != '\0' && out->password[0] == '\0'
		       ? "sentinel_user without sentinel_password"
		       : NULL;
}

static const char *read_master(struct span path, struct redis_url *out)
{
	struct redis_sentinels *by = &out->sentinels;
	struct span db;
	const char *wrong = NULL;

	if (cut_at_first(&path, '/', &db))
		wrong = read_db(db, out);
	if (wrong == NULL && (!is_host(path) || path.n >= sizeof by->master))
		wrong = "behind the sentinels stands /MASTER, the name that they know it "
			"by";
	if (wrong == NULL)
		snprintf(by->master, sizeof by->master, "%.*s", SPAN_ARG(path));
	return wrong;
}

static const char *read_sentinel(struct span rest, struct redis_url *out)
{
	struct span login, path, front;
	const char *wrong = NULL;

	if (cut_at_last(&rest, '?', &front)) {
		wrong = read_query(rest, &out->sentinels);
		rest = front;
	}
	if (wrong == NULL && cut_at_last(&rest, '@', &login))
		wrong = read_login(login, out);
	cut_at_first(&rest, '/', &path);
	if (wrong == NULL)
		wrong = read_sentinels(rest, &out->sentinels);
	if (wrong == NULL)
		wrong = read_master(path, out);
	if (wrong == NULL)
		snprintf(out->shown, sizeof out->shown, "%s, as sentinels say",
			 out->sentinels.master);
	return wrong;
}
