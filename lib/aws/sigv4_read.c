/* Where the signature stands: in the Authorization header, or in the query. */
#include "aws/sigv4.h"
#include "aws/sigv4_canonical.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SIGNED_MOST = 100 };

static const char algorithm[] = "AWS4-HMAC-SHA256";

static enum err malformed(const char **why, const char *what)
{
	*why = what;
	return ERR_MALFORMED;
}

static struct span header(const struct sigv4_request *r, const char *lower)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (sigv4_is_named(r->headers[i].name, span_str(lower)))
			return r->headers[i].value;
	return span_of(NULL, 0);
}

static bool starts(struct span s, const char *with)
{
	size_t n = strlen(with);

	return s.p != NULL && s.n >= n && memcmp(s.p, with, n) == 0;
}

/* ---- the header ---- */

/* "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…" */
static void read_header(const struct sigv4_request *r, struct span rest,
			struct sigv4 *out, struct span *credential)
{
	while (rest.n > 0) {
		struct span value = span_trim(sigv4_cut(&rest, ','));
		struct span name = sigv4_cut(&value, '=');

		if (span_is(name, "Credential"))
			*credential = value;
		else if (span_is(name, "SignedHeaders"))
			out->signed_headers = value;
		else if (span_is(name, "Signature"))
			out->signature = value;
	}
	out->time = header(r, "x-amz-date");
}

/* ---- the query ---- */

/* The decoded value of a parameter, kept in out->text; no bytes when it is not there, or does not fit. */
static struct span parameter(struct span query, const char *wanted, struct sigv4 *out,
			     size_t *used)
{
	char *to = out->text + *used;
	size_t n = 0;

	while (query.n > 0) {
		struct span value = sigv4_cut(&query, '&');
		struct span name = sigv4_cut(&value, '=');

		if (!span_is(name, wanted))
			continue;
		while (value.n > 0) {
			if (*used + n == sizeof out->text)
				return span_of(NULL, 0);
			to[n++] = (char)sigv4_decode(&value);
		}
		*used += n;
		return span_of(to, n);
	}
	return span_of(NULL, 0);
}

/* A whole number of at most 6 digits; 0 when it is none. */
static int64_t number(struct span s)
{
	int64_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || s.n > 6)
			return 0;
		n = 10 * n + (s.p[i] - '0');
	}
	return n;
}

static enum err read_query(const struct sigv4_request *r, struct sigv4 *out,
			   struct span *credential, const char **why)
{
	size_t used = 0;

	if (!span_is(parameter(r->query, "X-Amz-Algorithm", out, &used), algorithm))
		return malformed(why, "X-Amz-Algorithm must be AWS4-HMAC-SHA256.");
	*credential = parameter(r->query, "X-Amz-Credential", out, &used);
	out->signed_headers = parameter(r->query, "X-Amz-SignedHeaders", out, &used);
	out->signature = parameter(r->query, "X-Amz-Signature", out, &used);
	out->time = parameter(r->query, "X-Amz-Date", out, &used);
	out->expires_s = number(parameter(r->query, "X-Amz-Expires", out, &used));
	out->in_query = true;
	if (out->expires_s < 1 || out->expires_s > SIGV4_EXPIRES_MOST)
		return malformed(why, "X-Amz-Expires must be 1 to 604800 seconds.");
	return OK;
}

/* ---- what both have ---- */

/* key/20261122/eu-central-1/execute-api/aws4_request */
static bool read_credential(struct span all, struct sigv4 *out)
{
	struct span rest = all;

	out->key_id = sigv4_cut(&rest, '/');
	out->scope = rest;
	out->date = sigv4_cut(&rest, '/');
	out->region = sigv4_cut(&rest, '/');
	out->service = sigv4_cut(&rest, '/');
	return out->key_id.n > 0 && out->date.n == 8 && out->region.n > 0 &&
	       out->service.n > 0 && span_is(rest, "aws4_request");
}

/* A number of n digits; -1 when it is none. */
static int digits(const uint8_t *p, size_t n)
{
	int out = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		out = 10 * out + (p[i] - '0');
	}
	return out;
}

/* "20261122T103104Z"; a time that there is: timegm changes none of its parts. */
static bool read_time(struct sigv4 *out)
{
	const uint8_t *p = out->time.p;
	struct tm tm = {0}, same;

	if (out->time.n != SIGV4_TIME - 1 || p[8] != 'T' || p[15] != 'Z')
		return false;
	tm.tm_year = digits(p, 4) - 1900;
	tm.tm_mon = digits(p + 4, 2) - 1;
	tm.tm_mday = digits(p + 6, 2);
	tm.tm_hour = digits(p + 9, 2);
	tm.tm_min = digits(p + 11, 2);
	tm.tm_sec = digits(p + 13, 2);
	same = tm;
	out->time_s = timegm(&same);
	return tm.tm_year >= -1900 && same.tm_year == tm.tm_year &&
	       same.tm_mon == tm.tm_mon && same.tm_mday == tm.tm_mday &&
	       same.tm_hour == tm.tm_hour && same.tm_min == tm.tm_min &&
	       same.tm_sec == tm.tm_sec;
}

static bool names(struct span list, const char *one)
{
	size_t n = 0;

	while (list.n > 0 && n++ < SIGNED_MOST)
		if (span_is(sigv4_cut(&list, ';'), one))
			return true;
	return false;
}

static bool is_few(struct span list)
{
	size_t n = 1;

	for (size_t i = 0; i < list.n; i++)
		n += list.p[i] == ';';
	return n <= SIGNED_MOST;
}

static bool is_payload(struct span s)
{
	if (s.n == 0 || span_is(s, "UNSIGNED-PAYLOAD"))
		return true;
	for (size_t i = 0; i < s.n; i++)
		if (strchr("0123456789abcdef", s.p[i]) == NULL || s.p[i] == '\0')
			return false;
	return s.n == SIGV4_HEX;
}

static enum err check(const struct sigv4_request *r, struct span credential,
		      struct sigv4 *out, const char **why)
{
	if (!read_credential(credential, out))
		return malformed(why, "Credential must be "
				      "key/date/region/service/aws4_request.");
	if (!read_time(out))
		return malformed(why, "X-Amz-Date must be there, such as "
				      "20261122T103104Z.");
	if (memcmp(out->date.p, out->time.p, out->date.n) != 0)
		return malformed(why,
				 "Date in Credential scope does not match "
				 "YYYYMMDD from ISO-8601 version of date from HTTP.");
	if (!is_few(out->signed_headers) || !names(out->signed_headers, "host"))
		return malformed(why, "'Host' must be a 'SignedHeader' in the AWS "
				      "Authorization; at most 100 are.");
	if (out->signature.n != SIGV4_HEX)
		return malformed(why, "Signature must be 64 hex digits.");
	out->payload = header(r, "x-amz-content-sha256");
	if (!is_payload(out->payload))
		return malformed(why, "X-Amz-Content-Sha256 must be the SHA-256 of the "
				      "body in hex, or UNSIGNED-PAYLOAD.");
	return OK;
}

static bool is_presigned(struct span query)
{
	static const char mark[] = "X-Amz-Algorithm=";

	return query.n > 0 && memmem(query.p, query.n, mark, strlen(mark)) != NULL;
}

enum err sigv4_read(const struct sigv4_request *r, struct sigv4 *out, const char **why)
{
	struct span authorization = header(r, "authorization"), credential = {0};
	enum err e = OK;

	*out = (struct sigv4){0};
	if (starts(authorization, algorithm)) {
		authorization.p += strlen(algorithm);
		authorization.n -= strlen(algorithm);
		read_header(r, authorization, out, &credential);
	} else if (is_presigned(r->query)) {
		e = read_query(r, out, &credential, why);
	} else {
		return ERR_NOTFOUND;
	}
	return e == OK ? check(r, credential, out, why) : e;
}

enum err sigv4_age(const struct sigv4 *s, int64_t now_s, char *why, size_t n)
{
	int64_t life = s->in_query ? s->expires_s : SIGV4_SKEW_S;
	char now[SIGV4_TIME], edge[SIGV4_TIME];

	if (s->time_s > now_s + SIGV4_SKEW_S) {
		snprintf(
			why, n,
			"Signature not yet current: %.*s is still later than %s (%s + 15 "
			"min.)",
			SPAN_ARG(s->time), sigv4_time(now_s + SIGV4_SKEW_S, edge),
			sigv4_time(now_s, now));
		return ERR_DENIED;
	}
	if (s->time_s + life < now_s) {
		snprintf(why, n,
			 "Signature expired: %.*s is now earlier than %s (%s - %" PRId64
			 " s)",
			 SPAN_ARG(s->time), sigv4_time(now_s - life, edge),
			 sigv4_time(now_s, now), life);
		return ERR_DENIED;
	}
	return OK;
}
