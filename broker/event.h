#ifndef BROKER_EVENT_H
#define BROKER_EVENT_H

/*
 * The JSON that functions get: API Gateway's events, field for field.
 *
 * source  AWS: "WebSocket API integration requests", "Lambda proxy integration"; golden
 *         files in tests/unit/broker/events/
 */

#include "base/blob.h"
#include "broker/function.h"

/* What the events of this broker have in common; texts are borrowed for as long as the event is made. */
struct event_setting {
	const char *stage;
	const char *api_id;   /* opaque, 10 characters */
	const char *account;  /* "123456789012" */
	const char *region;
	const char *route_key; /* "$connect", "say"; of an HTTP one "GET /ping" */
	const char *resource;  /* HTTP: "/users/{id}" */
	const char *path;      /* HTTP: below the stage, "/users/7" */
	bool is_v2;            /* HTTP: payload 2.0 */
	bool context;          /* headers and query of the upgrade in MESSAGE and DISCONNECT too */
};

/*
 * Make the event of a call.
 *
 * returns  the JSON text, one reference; NULL when the call's packed parts are nonsense
 */
struct blob *event_json(const struct call *c, enum event_form form,
			const struct event_setting *s);

/*
 * Read what a function returned to a proxy event: {"statusCode":200,"headers":{…},
 * "multiValueHeaders":{…},"body":"…","isBase64Encoded":false}. What is no object with any
 * of these is RESULT_FAILED for CONNECT and HTTP; for MESSAGE see section 1.3.
 *
 * parsed   holds what out's spans point to; free it with event_result_free after out is used
 */
struct event_result;
struct event_result *event_result_parse(struct span payload, struct result *out);
void event_result_free(struct event_result *r); /* NULL is fine */

/* What an authorizer returned: may this caller connect, and the context for later events. */
struct event_grant {
	bool allow;
	char *context; /* JSON object text: its context, principalId, integrationLatency; freed by the caller */
};

/*
 * payload   {"principalId":"…","policyDocument":{…},"context":{…}}
 * arn       the methodArn that the policy's Resource must match, with * and ?
 * returns   OK; ERR_MALFORMED: not an authorizer's result (500)
 */
must_use enum err event_grant_parse(struct span payload, const char *arn, int64_t latency_ms,
				    struct event_grant *out);

#endif
