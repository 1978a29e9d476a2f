#include "base/log.h"
#include "base/mem.h"
#include "json/read.h"
#include "broker/api/internal.h"

#include <event2/keyvalq_struct.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void answer_json(struct evhttp_request *req, int status, const char *reason,
		 struct evbuffer *body)
{
	evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type",
			  "application/json");
	evhttp_send_reply(req, status, reason, body);
}

/* What HTTP wants beside some statuses. */
static void add_headers(struct evhttp_request *req, int status)
{
	static const struct {
		int status;
		const char *name, *value;
	} extra[] = {
		{401, "WWW-Authenticate", "Bearer realm=\"gatepost\""},
		{429, "Retry-After", "1"},
		{503, "Retry-After", "1"},
	};

	for (size_t i = 0; i < sizeof extra / sizeof *extra; i++)
		if (extra[i].status == status)
			evhttp_add_header(evhttp_request_get_output_headers(req),
					  extra[i].name, extra[i].value);
}

void answer_refusal(struct evhttp_request *req, int status, const char *type,
		    struct span message)
{
	struct evbuffer *body = evbuffer_new();

	evhttp_add_header(evhttp_request_get_output_headers(req), "x-amzn-ErrorType",
			  type);
	add_headers(req, status);
	evbuffer_add_printf(body, "{\"message\":");
	json_escape(message, body);
	evbuffer_add_printf(body, "}");
	answer_json(req, status, type, body);
	evbuffer_free(body);
}

void answer_refusal_text(struct evhttp_request *req, int status, const char *type,
			 const char *text)
{
	const char *uri = evhttp_request_get_uri(req);

	log_info_flood("management.refused", B("path", span_of(uri, strcspn(uri, "?"))),
		       I("status", status), S("why", text));
	answer_refusal(req, status, type, span_str(text));
}

void answer_bad(struct evhttp_request *req, const char *fmt, ...)
{
	char *message = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&message, fmt, ap);
	va_end(ap);
	answer_refusal_text(req, 400, "BadRequestException",
			    n >= 0 ? message : "Bad request");
	if (n >= 0)
		free(message);
}

void answer_err(struct evhttp_request *req, enum err e)
{
	if (e == ERR_NOTFOUND)
		answer_refusal_text(req, 410, "GoneException", "The connection is gone");
	else if (e == ERR_BUSY)
		answer_refusal_text(
			req, 429, "LimitExceededException",
			"The client does not take what is queued for it: try later");
	else
		answer_refusal_text(req, 503, "ServiceUnavailableException",
				    "The connection's edge cannot be reached: try again");
}

void answer_no_memory(struct evhttp_request *req)
{
	answer_refusal_text(req, 503, "ServiceUnavailableException",
			    "No memory for large answers now: try again");
}

bool answer_fits(struct management *m, struct evhttp_request *req, size_t bytes)
{
	long long most = (long long)m->broker->conf.max_post;
	char *message;

	if (bytes <= (size_t)most)
		return true;
	message = xasprintf("The message has %zu bytes, at most %lld are allowed", bytes,
			    most);
	answer_refusal_text(req, 413, "PayloadTooLargeException", message);
	free(message);
	return false;
}

char *query_parameter(struct evhttp_request *req, const char *name)
{
	const char *query = strchr(evhttp_request_get_uri(req), '?');
	struct evkeyvalq all;
	const char *value;
	char *copy = NULL;

	if (query == NULL || evhttp_parse_query_str(query + 1, &all) != 0)
		return NULL;
	value = evhttp_find_header(&all, name);
	if (value != NULL)
		copy = xstrdup(value);
	evhttp_clear_headers(&all);
	return copy;
}

bool wants_binary(struct evhttp_request *req)
{
	const char *said = evhttp_find_header(evhttp_request_get_input_headers(req),
					      "X-Gatepost-Binary");

	return said != NULL && strcasecmp(said, "true") == 0;
}
