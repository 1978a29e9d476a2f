#include "broker/api/answer.h"

#include "base/log.h"
#include "base/mem.h"
#include "json/read.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXTRA_MOST = 4 };

void answer_empty(struct http_request *q, int status)
{
	http_reply(q, status, NULL, 0, span_of(NULL, 0));
}

void answer_json(struct http_request *q, int status, struct evbuffer *body)
{
	struct response_header json = HTTP_HEADER("Content-Type", "application/json");

	http_reply_buffer(q, status, &json, 1, body);
}

/* allow: of a 405, else NULL. f: of channels, else NULL. */
static void refuse(struct http_request *q, int status, const char *type,
		   const char *message, const char *allow, const struct failure *f)
{
	struct response_header h[EXTRA_MOST];
	struct evbuffer *body = evbuffer_new();
	size_t n = 0;

	assert(body != NULL);
	h[n++] = HTTP_HEADER("Content-Type", "application/json");
	h[n++] = HTTP_HEADER("x-amzn-ErrorType", type);
	if (status == 401)
		h[n++] = HTTP_HEADER("WWW-Authenticate", "Bearer realm=\"gatepost\"");
	if (status == 429 || status == 503)
		h[n++] = HTTP_HEADER("Retry-After", "1");
	if (allow != NULL)
		h[n++] = HTTP_HEADER("Allow", allow);
	evbuffer_add_printf(body, "{\"message\":");
	json_escape(span_str(message), body);
	if (f != NULL)
		evbuffer_add_printf(body, ",\"code\":\"%s\",\"retryable\":%s", f->code,
				    f->retryable ? "true" : "false");
	evbuffer_add_printf(body, "}");
	http_reply_buffer(q, status, h, n, body);
	evbuffer_free(body);
}

static void log_refusal(const struct http_request *q, int status, const char *why)
{
	log_info_flood("management.refused", B("path", q->head.path), I("status", status),
		       S("why", why));
}

void answer_refusal(struct http_request *q, int status, const char *type,
		    const char *message)
{
	refuse(q, status, type, message, NULL, NULL);
}

void answer_refusal_logged(struct http_request *q, int status, const char *type,
			   const char *message)
{
	log_refusal(q, status, message);
	refuse(q, status, type, message, NULL, NULL);
}

void answer_bad(struct http_request *q, const char *fmt, ...)
{
	char *message = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&message, fmt, ap);
	va_end(ap);
	answer_refusal_logged(q, 400, answer_type(400), n >= 0 ? message : "Bad request");
	if (n >= 0)
		free(message);
}

void answer_wrong_method(struct http_request *q, const char *allowed)
{
	static const char why[] = "This method is not for this path: see Allow";

	log_refusal(q, 405, why);
	refuse(q, 405, "MethodNotAllowedException", why, allowed, NULL);
}

/* Not known ones are mistakes of the request: 400. */
static int status_of(const char *code)
{
	static const struct {
		const char *code;
		int status;
	} known[] = {{"forbidden", 403}, {"too_large", 413},   {"limit", 429},
		     {"rate", 429},      {"unavailable", 503}, {"internal", 500}};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i].code, code) == 0)
			return known[i].status;
	return 400;
}

void answer_failure(struct http_request *q, const struct failure *f)
{
	int status = status_of(f->code);

	log_refusal(q, status, f->message);
	refuse(q, status, answer_type(status), f->message, NULL, f);
}

void answer_err(struct http_request *q, enum err e)
{
	if (e == ERR_NOTFOUND)
		answer_refusal_logged(q, 410, "GoneException", "The connection is gone");
	else if (e == ERR_BUSY)
		answer_refusal_logged(
			q, 429, "LimitExceededException",
			"The client does not read its messages, retry later");
	else
		answer_refusal_logged(q, 503, answer_type(503),
				      "The connection's edge is unreachable, retry");
}

void answer_no_memory(struct http_request *q)
{
	answer_refusal_logged(q, 503, answer_type(503),
			      "No memory for large responses now, retry");
}

bool answer_fits(struct http_request *q, size_t bytes, size_t most)
{
	char *message;

	if (bytes <= most)
		return true;
	message = xasprintf("The message has %zu bytes, at most %zu are allowed", bytes,
			    most);
	answer_refusal_logged(q, 413, answer_type(413), message);
	free(message);
	return false;
}

const char *answer_type(int status)
{
	switch (status) {
	case 403: return "ForbiddenException";
	case 408: return "RequestTimeoutException";
	case 413: return "PayloadTooLargeException";
	case 429: return "LimitExceededException";
	case 500: return "InternalServerErrorException";
	case 501: return "NotImplementedException";
	case 503: return "ServiceUnavailableException";
	default: return "BadRequestException"; /* 400, 414, 431, 505 */
	}
}
