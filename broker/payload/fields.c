#include "broker/payload/fields.h"

#include "base/mem.h"
#include "base/percent.h"

#include <stdlib.h>

void fields_init(struct fields *f, bool headers)
{
	*f = (struct fields){.headers = headers};
}

void fields_close(struct fields *f)
{
	free(f->list);
	free(f->texts);
}

void fields_add(struct fields *f, struct span name, struct span value)
{
	if (f->n == f->room) {
		f->room = f->room ? f->room * 2 : 32;
		f->list = xrealloc(f->list, f->room * sizeof *f->list);
	}
	f->list[f->n] = (struct field){name, value, f->n};
	f->n++;
}

/* Undo %XX and + into to, which moves on; the result is there. */
static struct span decode(struct span in, uint8_t **to)
{
	uint8_t *start = *to;

	while (in.n > 0) {
		bool blank = in.p[0] == '+';
		int c = percent_next(&in);

		*(*to)++ = blank ? ' ' : c < 0 ? '%' : (uint8_t)c;
	}
	return span_of(start, (size_t)(*to - start));
}

/* What is before c, if c is there; *rest is what is behind it. */
static struct span cut(struct span in, char c, struct span *rest)
{
	const uint8_t *at = in.n ? memchr(in.p, c, in.n) : NULL;
	size_t n = at ? (size_t)(at - in.p) : in.n;

	*rest = at ? span_of(at + 1, in.n - n - 1) : span_of(in.p + in.n, 0);
	return span_of(in.p, n);
}

void fields_add_query(struct fields *f, struct span query)
{
	uint8_t *to = f->texts = xmalloc(query.n + 1);

	while (query.n > 0) {
		struct span pair = cut(query, '&', &query), value;
		struct span name = cut(pair, '=', &value);

		if (pair.n > 0) {
			name = decode(name, &to);
			fields_add(f, name, decode(value, &to));
		}
	}
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

static int compare_nocase(struct span a, struct span b)
{
	for (size_t i = 0; i < a.n && i < b.n; i++) {
		int d = lower(a.p[i]) - lower(b.p[i]);

		if (d != 0)
			return d;
	}
	return (a.n > b.n) - (a.n < b.n);
}

static int compare_bytes(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int d = n ? memcmp(a.p, b.p, n) : 0;

	return d != 0 ? d : (a.n > b.n) - (a.n < b.n);
}

static int by_order(const struct field *a, const struct field *b)
{
	return (a->order > b->order) - (a->order < b->order);
}

static int header_order(const void *a, const void *b)
{
	const struct field *x = a, *y = b;
	int d = compare_nocase(x->name, y->name);

	return d != 0 ? d : by_order(x, y);
}

static int byte_order(const void *a, const void *b)
{
	const struct field *x = a, *y = b;
	int d = compare_bytes(x->name, y->name);

	return d != 0 ? d : by_order(x, y);
}

void fields_sort(struct fields *f)
{
	if (f->n > 0)
		qsort(f->list, f->n, sizeof *f->list,
		      f->headers ? header_order : byte_order);
}

/* One past the last field that has the name of the first. */
static size_t group_end(const struct fields *f, size_t first)
{
	size_t end = first + 1;
	struct span name = f->list[first].name;

	while (end < f->n && (f->headers ? compare_nocase
					 : compare_bytes)(name, f->list[end].name) == 0)
		end++;
	return end;
}

static void put_text(const struct fields *f, struct json_out *out, struct span text)
{
	if (f->headers)
		json_out_latin(out, text);
	else
		json_out_text(out, text);
}

/* What comes before the values of a name: a comma unless it is the first, the name, a colon. */
static void put_name(const struct fields *f, struct json_out *out, size_t at)
{
	json_out_raw(out, at > 0 ? ",\"" : "\"");
	put_text(f, out, f->list[at].name);
	json_out_raw(out, "\":");
}

/* The values from at to end, between quotes and with a separator between them. */
static void put_values(const struct fields *f, struct json_out *out, size_t at,
		       size_t end, const char *separator)
{
	json_out_raw(out, "\"");
	for (size_t i = at; i < end; i++) {
		if (i > at)
			json_out_raw(out, separator);
		put_text(f, out, f->list[i].value);
	}
	json_out_raw(out, "\"");
}

void fields_write_last(const struct fields *f, struct json_out *out)
{
	json_out_raw(out, "{");
	for (size_t at = 0, end; at < f->n; at = end) {
		end = group_end(f, at);
		put_name(f, out, at);
		put_values(f, out, end - 1, end, "");
	}
	json_out_raw(out, "}");
}

void fields_write_each(const struct fields *f, struct json_out *out)
{
	json_out_raw(out, "{");
	for (size_t at = 0, end; at < f->n; at = end) {
		end = group_end(f, at);
		put_name(f, out, at);
		json_out_raw(out, "[");
		put_values(f, out, at, end, "\",\"");
		json_out_raw(out, "]");
	}
	json_out_raw(out, "}");
}

void fields_write_joined(const struct fields *f, struct json_out *out)
{
	json_out_raw(out, "{");
	for (size_t at = 0, end; at < f->n; at = end) {
		size_t start = out->n;

		end = group_end(f, at);
		put_name(f, out, at);
		for (uint8_t *p = out->blob->p + start; f->headers && start < out->n;
		     start++, p++)
			*p = lower(*p);
		put_values(f, out, at, end, ",");
	}
	json_out_raw(out, "}");
}
