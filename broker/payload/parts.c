#include "broker/payload/parts.h"

#include "base/mem.h"
#include "base/percent.h"
#include "base/utf8.h"
#include "proto/batch.h"

#include <stdlib.h>
#include <time.h>

void event_put(struct event *e, const char *name, struct span value)
{
	json_out_key(&e->out, name);
	json_out_raw(&e->out, "\"");
	json_out_latin(&e->out, value);
	json_out_raw(&e->out, "\"");
}

void event_put_str(struct event *e, const char *name, const char *value)
{
	event_put(e, name, span_str(value));
}

void event_put_number(struct event *e, const char *name, int64_t value)
{
	json_out_key(&e->out, name);
	json_out_number(&e->out, value);
}

void event_put_flag(struct event *e, const char *name, bool value)
{
	json_out_key(&e->out, name);
	json_out_raw(&e->out, value ? "true" : "false");
}

void event_open(struct event *e, const char *name)
{
	json_out_key(&e->out, name);
	json_out_raw(&e->out, "{");
}

void event_close(struct event *e)
{
	json_out_raw(&e->out, "}");
}

static void put_two(char *at, int value)
{
	at[0] = (char)('0' + value / 10 % 10);
	at[1] = (char)('0' + value % 10);
}

/* Without strftime, which uses the locale's month and takes longer than all the rest. */
void event_put_time(struct event *e, const char *name)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char text[] = "dd/Mon/yyyy:hh:mm:ss +0000";
	time_t seconds = (time_t)(e->in->time_ms / 1000);
	struct tm t;

	gmtime_r(&seconds, &t);
	put_two(text, t.tm_mday);
	memcpy(text + 3, months + 3 * (ptrdiff_t)t.tm_mon, 3);
	put_two(text + 7, (t.tm_year + 1900) / 100);
	put_two(text + 9, t.tm_year % 100);
	put_two(text + 12, t.tm_hour);
	put_two(text + 15, t.tm_min);
	put_two(text + 18, t.tm_sec);
	event_put_str(e, name, text);
}

void event_put_body(struct event *e, bool base64)
{
	json_out_key(&e->out, "body");
	if (base64)
		json_out_base64(&e->out, e->in->body);
	else
		json_out_string(&e->out, e->in->body);
	event_put_flag(e, "isBase64Encoded", base64);
}

bool event_put_http_body(struct event *e)
{
	if (e->in->body.n == 0)
		return false;
	event_put_body(e, !utf8_check(e->in->body));
	return true;
}

struct span event_domain_prefix(const struct event *e)
{
	struct span domain = span_from(e->context->domain);
	size_t n = 0;

	while (n < domain.n && domain.p[n] != '.' && domain.p[n] != ':')
		n++;
	return span_of(domain.p, n);
}

void event_query(const struct event *e, struct fields *out)
{
	fields_init(out, false);
	fields_add_query(out, span_from(e->request->query));
	fields_sort(out);
}

bool event_put_maps(struct event *e, enum event_headers how)
{
	struct fields headers, query;
	bool has_query;

	event_headers(e, how, &headers);
	event_query(e, &query);
	has_query = query.n > 0;
	json_out_key(&e->out, "headers");
	fields_write_last(&headers, &e->out);
	json_out_key(&e->out, "multiValueHeaders");
	fields_write_each(&headers, &e->out);
	if (has_query) {
		json_out_key(&e->out, "queryStringParameters");
		fields_write_last(&query, &e->out);
		json_out_key(&e->out, "multiValueQueryStringParameters");
		fields_write_each(&query, &e->out);
	}
	fields_close(&headers);
	fields_close(&query);
	return has_query;
}

/* What is before the next slash; *at goes behind it. */
static struct span next_part(struct span *at)
{
	const uint8_t *slash = at->n ? memchr(at->p, '/', at->n) : NULL;
	struct span part = span_of(at->p, slash ? (size_t)(slash - at->p) : at->n);
	size_t past = part.n + (slash != NULL);

	*at = span_of(at->p + past, at->n - past);
	return part;
}

static void put_parameter(struct event *e, struct span name, struct span value)
{
	char *room = xmalloc(value.n + 1);
	long n = percent_decode(value, room, value.n);

	json_out_string(&e->out, name);
	json_out_raw(&e->out, ":");
	json_out_string(&e->out, n < 0 ? value : span_of(room, (size_t)n));
	free(room);
}

bool event_put_parameters(struct event *e)
{
	struct span pattern = span_str(e->in->route->resource);
	struct span path = span_str(e->in->path);
	bool any = false;

	while (pattern.n > 0) {
		struct span name = next_part(&pattern), all = path;
		struct span value = next_part(&path);

		if (name.n < 3 || name.p[0] != '{' || name.p[name.n - 1] != '}')
			continue;
		name = span_of(name.p + 1, name.n - 2);
		if (name.p[name.n - 1] == '+') { /* greedy: all that is left */
			name.n--;
			value = all;
		}
		if (any)
			json_out_raw(&e->out, ",");
		else
			event_open(e, "pathParameters");
		put_parameter(e, name, value);
		any = true;
	}
	if (any)
		event_close(e);
	return any;
}
