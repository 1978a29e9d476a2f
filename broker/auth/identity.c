#include "broker/auth/identity.h"

#include "base/mem.h"
#include "base/percent.h"
#include "proto/batch.h"

#include <stdlib.h>

static const char header_form[] = "route.request.header.";
static const char query_form[] = "route.request.querystring.";
static const char cookie_form[] = "route.request.cookie.";
static const char subprotocol_form[] = "route.request.subprotocol";

/* The rest of source after form; NULL when it has another form. */
static const char *behind(const char *source, const char *form)
{
	size_t n = strlen(form);

	return strncmp(source, form, n) == 0 && source[n] != '\0' ? source + n : NULL;
}

bool identity_is_source(const char *source)
{
	return behind(source, header_form) || behind(source, query_form) ||
	       behind(source, cookie_form) || strcmp(source, subprotocol_form) == 0;
}

/* The text before c; *rest becomes the text after it. False at the end. */
static bool next(struct span *rest, char c, struct span *part)
{
	const uint8_t *at;

	if (rest->n == 0)
		return false;
	at = memchr(rest->p, c, rest->n);
	*part = span_of(rest->p, at ? (size_t)(at - rest->p) : rest->n);
	*rest = at ? span_of(at + 1, rest->n - part->n - 1) : span_of(NULL, 0);
	return true;
}

static char *dup_unless_empty(struct span s)
{
	return s.n > 0 ? span_dup(s) : NULL;
}

static struct span find_header(const Gatepost__Request *q, const char *name)
{
	for (size_t i = 0; i < q->n_headers; i++)
		if (span_is_nocase(span_from(q->headers[i]->name), name))
			return span_from(q->headers[i]->value);
	return span_of(NULL, 0);
}

static char *from_header(const Gatepost__Request *q, const char *name)
{
	struct span v = find_header(q, name);

	if (strcasecmp(name, "Authorization") == 0 && v.n > 7 &&
	    span_is_nocase(span_of(v.p, 7), "Bearer "))
		v = span_trim(span_of(v.p + 7, v.n - 7));
	return dup_unless_empty(v);
}

static char *decoded(struct span raw)
{
	char *out = xmalloc(raw.n + 1);
	long n = percent_decode(raw, out, raw.n);

	if (n <= 0) {
		free(out);
		return NULL;
	}
	out[n] = '\0';
	return out;
}

static char *from_query(const Gatepost__Request *q, const char *name)
{
	struct span rest = span_from(q->query), one, key;

	while (next(&rest, '&', &one))
		if (next(&one, '=', &key) && span_is(key, name))
			return decoded(one);
	return NULL;
}

static char *from_cookie(const Gatepost__Request *q, const char *name)
{
	struct span rest = find_header(q, "Cookie"), one, key;

	while (next(&rest, ';', &one)) {
		one = span_trim(one);
		if (next(&one, '=', &key) && span_is(key, name))
			return dup_unless_empty(one);
	}
	return NULL;
}

/* new WebSocket(url, ["bearer", token]) is how a browser sends a token. */
static struct span after_bearer(const Gatepost__Request *q)
{
	struct span rest = find_header(q, "Sec-WebSocket-Protocol"), one;
	bool bearer = false;

	while (next(&rest, ',', &one)) {
		one = span_trim(one);
		if (bearer)
			return one;
		bearer = span_is_nocase(one, "bearer");
	}
	return span_of(NULL, 0);
}

char *identity_find(const Gatepost__Request *q, const char *source)
{
	const char *name;

	if ((name = behind(source, header_form)) != NULL)
		return from_header(q, name);
	if ((name = behind(source, query_form)) != NULL)
		return from_query(q, name);
	if ((name = behind(source, cookie_form)) != NULL)
		return from_cookie(q, name);
	return dup_unless_empty(after_bearer(q));
}
