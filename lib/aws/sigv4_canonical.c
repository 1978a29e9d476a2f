/*
 * Method, path, query, headers, their names, payload: each in the one form that both
 * sides can compute it alone.
 */
#include "aws/sigv4_canonical.h"

#include "base/mem.h"
#include "base/percent.h"

#include <stdio.h>
#include <stdlib.h>

static void put_text(struct sha256 *h, const char *text)
{
	sha256_add(h, span_str(text));
}

/* ---- the canonical path ---- */

static bool is_plain(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

/* The encoded form of one byte into out; its length. */
static size_t encode(uint8_t c, char out[4])
{
	if (!is_plain(c))
		return (size_t)snprintf(out, 4, "%%%02X", c);
	out[0] = (char)c;
	return 1;
}

static void put_encoded(struct sha256 *h, struct span s)
{
	char one[4];

	for (size_t i = 0; i < s.n; i++)
		sha256_add(h, span_of(one, encode(s.p[i], one)));
}

struct span sigv4_cut(struct span *rest, uint8_t at)
{
	const uint8_t *end = rest->n > 0 ? memchr(rest->p, at, rest->n) : NULL;
	struct span part = span_of(rest->p, end ? (size_t)(end - rest->p) : rest->n);

	*rest = end ? span_of(end + 1, rest->n - part.n - 1) : span_of(NULL, 0);
	return part;
}

static size_t count(struct span in, uint8_t c)
{
	size_t n = 0;

	for (size_t i = 0; i < in.n; i++)
		n += in.p[i] == c;
	return n;
}

/* Empty and dotted parts have no place in it (RFC 3986 5.2.4). */
static size_t read_path(struct span path, struct span *parts)
{
	size_t n = 0;

	while (path.n > 0) {
		struct span part = sigv4_cut(&path, '/');

		if (span_is(part, ".."))
			n -= n > 0;
		else if (part.n > 0 && !span_is(part, "."))
			parts[n++] = part;
	}
	return n;
}

/* Each part as it came is encoded once more: "double encoding", for all services but S3. */
static void put_path(struct sha256 *h, struct span path)
{
	struct span *parts = xcalloc(count(path, '/') + 1, sizeof *parts);
	size_t n = read_path(path, parts);
	bool slash = n == 0 || path.p[path.n - 1] == '/';

	for (size_t i = 0; i < n; i++) {
		put_text(h, "/");
		put_encoded(h, parts[i]);
	}
	put_text(h, slash ? "/\n" : "\n");
	free(parts);
}

/* ---- the canonical query ---- */

uint8_t sigv4_decode(struct span *in)
{
	int c = percent_next(in);

	return c < 0 ? '%' : (uint8_t)c;
}

/* The one form of an encoded text, however its writer wrote it; freed with free(3). */
static char *one_form(struct span in)
{
	char *out = xmalloc(3 * in.n + 2), one[4];
	size_t n = 0;

	while (in.n > 0) {
		size_t k = encode(sigv4_decode(&in), one);

		memcpy(out + n, one, k);
		n += k;
	}
	out[n] = '\0';
	return out;
}

struct parameter {
	char *name, *value;
};

static int by_name(const void *a, const void *b)
{
	const struct parameter *x = a, *y = b;
	int names = strcmp(x->name, y->name);

	return names != 0 ? names : strcmp(x->value, y->value);
}

/* All but the signature itself, should it be there; the number of them. */
static size_t read_query(struct span query, bool has_signature, struct parameter *out)
{
	size_t n = 0;

	while (query.n > 0) {
		struct span value = sigv4_cut(&query, '&');
		struct span name = sigv4_cut(&value, '=');

		if (name.n == 0 || (has_signature && span_is(name, "X-Amz-Signature")))
			continue;
		out[n++] = (struct parameter){one_form(name), one_form(value)};
	}
	return n;
}

static void put_query(struct sha256 *h, struct span query, bool has_signature)
{
	struct parameter *all = xcalloc(count(query, '&') + 1, sizeof *all);
	size_t n = read_query(query, has_signature, all);

	qsort(all, n, sizeof *all, by_name);
	for (size_t i = 0; i < n; i++) {
		put_text(h, i > 0 ? "&" : "");
		put_text(h, all[i].name);
		put_text(h, "=");
		put_text(h, all[i].value);
		free(all[i].name);
		free(all[i].value);
	}
	put_text(h, "\n");
	free(all);
}

/* ---- the canonical headers ---- */

bool sigv4_is_named(struct span name, struct span lower)
{
	bool same = name.n == lower.n;

	for (size_t i = 0; same && i < name.n; i++) {
		uint8_t c = name.p[i];

		same = (c >= 'A' && c <= 'Z' ? c | 0x20 : c) == lower.p[i];
	}
	return same;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* Without blanks at its ends, and with one for several inside. */
static void put_value(struct sha256 *h, struct span v)
{
	bool any = false;

	for (size_t i = 0; i < v.n;) {
		size_t from;

		while (i < v.n && is_blank(v.p[i]))
			i++;
		from = i;
		while (i < v.n && !is_blank(v.p[i]))
			i++;
		if (i > from && any)
			put_text(h, " ");
		sha256_add(h, span_of(v.p + from, i - from));
		any = any || i > from;
	}
}

static void put_headers(struct sha256 *h, const struct sigv4_request *r,
			struct span names)
{
	struct span rest = names;

	while (rest.n > 0) {
		struct span name = sigv4_cut(&rest, ';');
		bool any = false;

		sha256_add(h, name);
		put_text(h, ":");
		for (size_t i = 0; i < r->n_headers; i++) {
			if (!sigv4_is_named(r->headers[i].name, name))
				continue;
			put_text(h, any ? "," : "");
			put_value(h, r->headers[i].value);
			any = true;
		}
		put_text(h, "\n");
	}
	put_text(h, "\n");
	sha256_add(h, names);
	put_text(h, "\n");
}

/* ---- all of it ---- */

void sigv4_hash(const struct sigv4_request *r, const struct sigv4_form *form,
		char out[SIGV4_HEX + 1])
{
	struct sha256 h;
	uint8_t hash[SIGV4_HASH];

	sha256_begin(&h);
	sha256_add(&h, r->method);
	put_text(&h, "\n");
	put_path(&h, r->path);
	put_query(&h, r->query, form->in_query);
	put_headers(&h, r, form->signed_headers);
	sha256_add(&h, form->payload);
	sha256_end(&h, hash);
	sha256_hex(hash, out);
}
