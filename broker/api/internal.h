#ifndef BROKER_API_INTERNAL_H
#define BROKER_API_INTERNAL_H

/*
 * What the files of the management API share; no other room includes it.
 *
 *   router.c       sockets, who may ask, and which of these is asked for
 *   gate.c         how many at a time, and for how long
 *   connection.c   /@connections/{id}: post, look, remove
 *   bulk.c         POST /@connections: one message to many
 *   list.c         GET /@connections: the table, page by page
 *   disconnects.c  /@disconnects: dead letters
 *   answer.c       answers and refusals in AWS's form
 */

#include "broker/api/auth.h"
#include "broker/api/router.h"
#include "broker/api/gate.h"
#include "proto/id.h"

#include <event2/buffer.h>
#include <sys/queue.h>

struct errand;
struct listing;

struct management {
	struct broker *broker;
	struct evhttp *http;
	struct gate *gate;
	struct auth *auth;
	char *addresses;
	char *hosts; /* what Host may be without authentication, beside loopback */
	struct listing *listings;    /* those that wait for the store */
	LIST_HEAD(, errand) errands; /* the same, of /@disconnects */
};

/* ---- requests that wait ---- */

/* A request that waits for an edge or the store; the first member of what it waits with. */
struct waiting {
	struct management *m;
	struct evhttp_request *req;
	void (*gone)(struct waiting *w);
};

/* gone: the client has hung up; req is no more, and w is to be freed. */
void waiting_begin(struct waiting *w, struct management *m, struct evhttp_request *req,
		   void (*gone)(struct waiting *w));

/* The request again, for its answer. w is still the caller's. */
struct evhttp_request *waiting_end(struct waiting *w);

/* ---- answer.c ---- */

/* A JSON text as the body; body is emptied. */
void answer_json(struct evhttp_request *req, int status, const char *reason,
		 struct evbuffer *body);

/* SDKs find the exception's class in a header; the message is for people. */
void answer_refusal(struct evhttp_request *req, int status, const char *type,
		    struct span message);
void answer_refusal_text(struct evhttp_request *req, int status, const char *type,
			 const char *text);

/* 400, with a message as of printf. */
void answer_bad(struct evhttp_request *req, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* 410, 429 or 503. */
void answer_err(struct evhttp_request *req, enum err e);

/* 503: requests and answers hold too much together. */
void answer_no_memory(struct evhttp_request *req);

/* 413 unless the message is small enough: false, and the request is answered. */
bool answer_fits(struct management *m, struct evhttp_request *req, size_t bytes);

/* A parameter of the query, decoded, freed with free(3); NULL when it is not there. */
char *query_parameter(struct evhttp_request *req, const char *name);

/* Does the header X-Gatepost-Binary say "true"? */
bool wants_binary(struct evhttp_request *req);

/* ---- the requests ---- */

void management_post(struct management *m, struct evhttp_request *req,
		     const struct id *id);
void management_look(struct management *m, struct evhttp_request *req,
		     const struct id *id);
void management_remove(struct management *m, struct evhttp_request *req,
		       const struct id *id);

void management_bulk(struct management *m, struct evhttp_request *req);

void management_list(struct management *m, struct evhttp_request *req);
void management_list_close(struct management *m); /* the store answers no more */

void management_parked(struct management *m, struct evhttp_request *req);
void management_retry(struct management *m, struct evhttp_request *req,
		      const struct id *id);
void management_drop(struct management *m, struct evhttp_request *req,
		     const struct id *id);
void management_retry_all(struct management *m, struct evhttp_request *req);
void management_drop_all(struct management *m, struct evhttp_request *req);
void management_disconnects_close(struct management *m); /* as above */

#endif
