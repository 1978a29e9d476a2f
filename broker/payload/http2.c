/*
 * The event of a plain request to an `httpApi` route: payload 2.0. The stage is named,
 * so rawPath begins with it, as it does at API Gateway.
 *
 * source  AWS: "Create AWS Lambda proxy integrations for HTTP APIs", payload format 2.0
 */
#include "broker/payload/parts.h"
#include "proto/batch.h"

static void put_cookies(struct event *e, const struct fields *headers);
static void put_query(struct event *e);
static void put_context(struct event *e);

static bool is_cookie(const struct field *f)
{
	return span_is_nocase(f->name, "Cookie");
}

/* Cookies are in their own member. */
static void put_headers(struct event *e, struct fields *headers)
{
	size_t kept = 0;

	for (size_t i = 0; i < headers->n; i++)
		if (!is_cookie(&headers->list[i]))
			headers->list[kept++] = headers->list[i];
	headers->n = kept;
	json_out_key(&e->out, "headers");
	fields_write_joined(headers, &e->out);
}

void event_http2(struct event *e)
{
	struct fields headers;

	event_headers(e, EVENT_HEADERS_PLAIN, &headers);
	json_out_raw(&e->out, "{");
	event_put_str(e, "version", "2.0");
	event_put_str(e, "routeKey", e->in->route->key);
	event_put(e, "rawPath", span_from(e->request->path));
	event_put(e, "rawQueryString", span_from(e->request->query));
	put_cookies(e, &headers);
	put_headers(e, &headers);
	put_query(e);
	put_context(e);
	event_put_parameters(e);
	if (!event_put_http_body(e))
		event_put_flag(e, "isBase64Encoded", false);
	event_close(e);
	fields_close(&headers);
}

/* "a=1; b=2" is two. */
static void put_list(struct event *e, struct span list, bool *any)
{
	while (list.n > 0) {
		const uint8_t *end = memchr(list.p, ';', list.n);
		size_t n = end ? (size_t)(end - list.p) : list.n;
		struct span cookie = span_of(list.p, n);

		n += end != NULL;
		list = span_of(list.p + n, list.n - n);
		while (cookie.n > 0 && *cookie.p == ' ')
			cookie = span_of(cookie.p + 1, cookie.n - 1);
		if (cookie.n == 0)
			continue;
		if (!*any)
			json_out_key(&e->out, "cookies");
		json_out_raw(&e->out, *any ? ",\"" : "[\"");
		json_out_latin(&e->out, cookie);
		json_out_raw(&e->out, "\"");
		*any = true;
	}
}

static void put_cookies(struct event *e, const struct fields *headers)
{
	bool any = false;

	for (size_t i = 0; i < headers->n; i++)
		if (is_cookie(&headers->list[i]))
			put_list(e, headers->list[i].value, &any);
	if (any)
		json_out_raw(&e->out, "]");
}

static void put_query(struct event *e)
{
	struct fields query;

	event_query(e, &query);
	if (query.n > 0) {
		json_out_key(&e->out, "queryStringParameters");
		fields_write_joined(&query, &e->out);
	}
	fields_close(&query);
}

static void put_http(struct event *e)
{
	event_open(e, "http");
	event_put(e, "method", span_from(e->request->method));
	event_put(e, "path", span_from(e->request->path));
	event_put_str(e, "protocol", "HTTP/1.1");
	event_put(e, "sourceIp", span_from(e->context->source_ip));
	event_put(e, "userAgent", span_from(e->context->user_agent));
	event_close(e);
}

static void put_context(struct event *e)
{
	event_open(e, "requestContext");
	event_put_str(e, "accountId", e->in->setting->account);
	event_put_str(e, "apiId", e->in->setting->api_id);
	event_put(e, "domainName", span_from(e->context->domain));
	event_put(e, "domainPrefix", event_domain_prefix(e));
	put_http(e);
	event_put_str(e, "requestId", e->request_id);
	event_put_str(e, "routeKey", e->in->route->key);
	event_put_str(e, "stage", e->in->setting->stage);
	event_put_time(e, "time");
	event_put_number(e, "timeEpoch", e->in->time_ms);
	event_close(e);
}
