#ifndef BROKER_PAYLOAD_PARTS_H
#define BROKER_PAYLOAD_PARTS_H

/* What the forms of an event (websocket.c, rest.c, http2.c) have in common, while one is made. */

#include "broker/payload/event.h"
#include "broker/payload/fields.h"

struct event {
	const struct invocation *in;
	const Gatepost__Context *context;
	const Gatepost__Request *
		request; /* HTTP: its own; else that of the upgrade, NULL: the event carries none */
	const char *connection_id;
	const char *request_id;
	struct json_out out;
};

/* How the headers of a request are changed for a function. */
enum event_headers {
	EVENT_HEADERS_UPGRADE,    /* without Connection, Upgrade, content-length */
	EVENT_HEADERS_AUTHORIZER, /* with them, as an authorizer gets them */
	EVENT_HEADERS_PLAIN,      /* of a plain request: without Connection, Upgrade */
};

/* e->request's headers and the gateway's own, sorted; close it with fields_close. */
void event_headers(const struct event *e, enum event_headers how, struct fields *out);

/* e->request's query, sorted; close it with fields_close. */
void event_query(const struct event *e, struct fields *out);

/* The headers in both forms and, if there is one, the query in both. Was there a query? */
bool event_put_maps(struct event *e, enum event_headers how);

/* The Common Log Format's: "11/Nov/2024:11:35:24 +0000". */
void event_put_time(struct event *e, const char *name);

/* body and isBase64Encoded */
void event_put_body(struct event *e, bool base64);

/* The same of an HTTP request: in base64 unless it is text. Nothing is written when there is no body; was it? */
bool event_put_http_body(struct event *e);

/* A member of the object that is being written; value is a header's, or of that kind. */
void event_put(struct event *e, const char *name, struct span value);
void event_put_str(struct event *e, const char *name, const char *value);
void event_put_number(struct event *e, const char *name, int64_t value);
void event_put_flag(struct event *e, const char *name, bool value);

/* A member that is an object, and its end. */
void event_open(struct event *e, const char *name);
void event_close(struct event *e);

/* The host's first label: of "id.execute-api.us-east-1.amazonaws.com" it is "id". */
struct span event_domain_prefix(const struct event *e);

/*
 * pathParameters: the values that a path gives to the parameters of its resource. Of
 * "/users/{id}" and "/users/7" id is 7, decoded. Nothing is written when there are
 * none; was it?
 */
bool event_put_parameters(struct event *e);

/* One form each, whole. */
void event_websocket(struct event *e);  /* CONNECT, MESSAGE, DISCONNECT */
void event_authorizer(struct event *e); /* the REQUEST authorizer's, of a CONNECT */
void event_rest(struct event *e);       /* HTTP, payload 1.0 */
void event_http2(struct event *e);      /* HTTP, payload 2.0 */

#endif
