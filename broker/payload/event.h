#ifndef BROKER_PAYLOAD_EVENT_H
#define BROKER_PAYLOAD_EVENT_H

/*
 * The JSON that functions get: API Gateway's events, field for field.
 *
 * source  AWS: "WebSocket API integration requests", "Lambda proxy integration"; golden
 *         files in tests/unit/broker/events/
 */

#include "base/blob.h"
#include "base/err.h"
#include "broker/payload/invocation.h"
#include "broker/payload/result.h"

/*
 * Make the JSON of an event.
 *
 * Where AWS has no rule:
 *   header names and queries' names are in alphabetical order, the case of headers is the
 *   client's; in a map of single values the last one stands
 *   X-Forwarded-For   the client's own list, if it sent one, and behind it the address
 *                     that the edge saw (so the last one is the only one to trust)
 *   X-Forwarded-Proto, X-Forwarded-Port   those of the proxy in front, if it sent them;
 *                     else http and the port of Host
 *   X-Amzn-Trace-Id   the client's, else one made from the event's id and time
 *   a query is read as a form (%XX, + for a space); a name without = has the value ""
 *   body of an HTTP event  as text when it is UTF-8, else in base64
 *
 * returns  the JSON text, one reference; NULL when the packed parts are malformed
 */
struct blob *event_json(const struct invocation *in, enum event_form form);

/* arn:aws:execute-api:us-east-1:123456789012:abcdef1234/dev/$connect, which an authorizer's policy is about; freed by the caller. */
char *event_arn(const struct event_setting *s);

/*
 * Read what a function returned to a proxy event: {"statusCode":200,"headers":{…},
 * "multiValueHeaders":{…},"body":"…","isBase64Encoded":false}.
 *
 *   CONNECT, HTTP   an object with a statusCode from 200 to 599; headers that HTTP allows
 *   payload 2.0     the same, with cookies; what has no statusCode is the body of a 200
 *   MESSAGE         two-way: an object's body, if it has one; other JSON sends
 *                   nothing (section 1.3). One-way: anything is accepted
 *   CHANNEL         an object, which may have statusCode, body and data; of one of the cluster anything is accepted
 *   DISCONNECT      anything is accepted
 *
 * CONNECT may have user and channels besides, MESSAGE of either sort subscribe and publish.
 *
 * out      OK, with what is there; RESULT_FAILED, with a sentence, for what is none of these
 * returns  what out points to, beside payload; free it with event_result_free after out is used
 */
struct event_result;
struct event_result *event_result_parse(const struct invocation *in, struct span payload,
					struct result *out);
void event_result_free(struct event_result *r); /* NULL is fine */

/* What an authorizer returned: may this caller connect, and the context for later events. */
struct event_grant {
	bool allow;
	char why[160]; /* ERR_MALFORMED: a sentence for the log */
	char *context; /* allow: JSON object of its context, as strings, and principalId, integrationLatency; freed by the caller */
};

/*
 * payload   {"principalId":"…","policyDocument":{"Statement":[…]},"context":{…}}; at most 8 KiB.
 *           In principalId and context U+FFFD stands in for malformed characters
 * arn       what the policy's Resource must match, with * and ? (event_arn)
 * returns   OK; ERR_MALFORMED: not an authorizer's result, or one with a Condition, which
 *           is not supported (500)
 * source    AWS: "Output from an API Gateway Lambda authorizer"; IAM: "Policy evaluation
 *           logic": an explicit Deny wins, and what no statement allows is denied
 */
must_use enum err event_grant_parse(struct span payload, const char *arn,
				    int64_t latency_ms, struct event_grant *out);

#endif
