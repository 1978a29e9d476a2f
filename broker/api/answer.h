#ifndef BROKER_API_ANSWER_H
#define BROKER_API_ANSWER_H

/* Answers and errors of the management API, in AWS's form. Each of these ends the request. */

#include "base/err.h"
#include "broker/channels/delivery/failure.h"
#include "http/server.h"

/* Without a body. */
void answer_empty(struct http_request *q, int status);

/* A JSON text as the body; body is emptied. */
void answer_json(struct http_request *q, int status, struct evbuffer *body);

/* SDKs find the exception's class in a header; the message is for people. */
void answer_refusal(struct http_request *q, int status, const char *type,
		    const char *message);

/* The same, with a log line: management.refused. */
void answer_refusal_logged(struct http_request *q, int status, const char *type,
			   const char *message);

/* 400, with a message as of printf. */
void answer_bad(struct http_request *q, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A failure of channels, with code and retryable in the body; the status is that of its code. */
void answer_failure(struct http_request *q, const struct failure *f);

/* 405; allowed: "GET, POST". */
void answer_wrong_method(struct http_request *q, const char *allowed);

/* 410, 429 or 503: what became of a command. */
void answer_err(struct http_request *q, enum err e);

/* 503: requests and answers hold too much together. */
void answer_no_memory(struct http_request *q);

/* 413 unless a message of so many bytes may be sent: false, and the request is answered. */
bool answer_fits(struct http_request *q, size_t bytes, size_t most);

/* The class of the exception for a status that the HTTP server answers by itself. */
const char *answer_type(int status);

#endif
