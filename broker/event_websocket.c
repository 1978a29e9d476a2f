/*
 * The events of a connection, with keys in the order in which API Gateway writes them.
 *
 * source  aws-websocket-api 2.2, 3: captures of 2022 to 2025 agree on these keys and no others
 */
#include "broker/event_parts.h"
#include "proto/batch.h"

#include <assert.h>

static void put_request(struct event *e);
static void put_pseudo_headers(struct event *e);
static void put_context(struct event *e);
static void put_disconnect(struct event *e);
static void put_identity(struct event *e);

void event_websocket(struct event *e)
{
	json_out_raw(&e->out, "{");
	if (e->request != NULL)
		put_request(e);
	else if (e->call->kind == GATEPOST__EVENT__KIND__DISCONNECT)
		put_pseudo_headers(e);
	put_context(e);
	if (e->call->kind == GATEPOST__EVENT__KIND__MESSAGE) {
		json_out_raw(&e->out, ",");
		event_put_body(e, e->call->binary);
	} else {
		json_out_raw(&e->out, ",\"isBase64Encoded\":false");
	}
	json_out_raw(&e->out, "}");
}

/* Headers and query of the upgrade; what has no query has no keys for it. */
static void put_request(struct event *e)
{
	struct fields headers, query;

	event_headers(e, EVENT_HEADERS_UPGRADE, &headers);
	event_query(e, &query);
	json_out_raw(&e->out, "\"headers\":");
	fields_write_last(&headers, &e->out);
	json_out_raw(&e->out, ",\"multiValueHeaders\":");
	fields_write_each(&headers, &e->out);
	if (query.n > 0) {
		json_out_raw(&e->out, ",\"queryStringParameters\":");
		fields_write_last(&query, &e->out);
		json_out_raw(&e->out, ",\"multiValueQueryStringParameters\":");
		fields_write_each(&query, &e->out);
	}
	json_out_raw(&e->out, ",");
	fields_close(&headers);
	fields_close(&query);
}

/* What API Gateway puts where a disconnect has no request. */
static void put_pseudo_headers(struct event *e)
{
	struct span host = span_from(e->context->domain);
	struct json_out *out = &e->out;

	json_out_raw(out, "\"headers\":{");
	event_put(e, "Host", host);
	json_out_raw(out, "\"x-api-key\":\"\",\"X-Forwarded-For\":\"\",\"x-restapi\":\"\"},"
			  "\"multiValueHeaders\":{\"Host\":[\"");
	json_out_latin(out, host);
	json_out_raw(out, "\"],\"x-api-key\":[\"\"],\"X-Forwarded-For\":[\"\"],"
			  "\"x-restapi\":[\"\"]},");
}

static const char *type_of(const struct call *c)
{
	static const char *const types[] = {
		[GATEPOST__EVENT__KIND__CONNECT] = "CONNECT",
		[GATEPOST__EVENT__KIND__MESSAGE] = "MESSAGE",
		[GATEPOST__EVENT__KIND__DISCONNECT] = "DISCONNECT",
	};

	assert(c->kind < sizeof types / sizeof *types && types[c->kind] != NULL);
	return types[c->kind];
}

/* A message's own id: never that of an event, whose numbers are far below. */
static void put_message_id(struct event *e)
{
	char text[ID_TEXT];
	uint64_t number = e->call->seq | UINT64_C(1) << 63;

	event_put_str(e, "messageId", id_request(&e->call->id, number, text));
}

static void put_authorizer(struct event *e)
{
	json_out_raw(&e->out, "\"authorizer\":");
	json_out_span(&e->out, span_from(e->context->authorizer));
	json_out_raw(&e->out, ",");
}

static void put_context(struct event *e)
{
	const struct call *c = e->call;
	bool bye = c->kind == GATEPOST__EVENT__KIND__DISCONNECT;

	json_out_raw(&e->out, "\"requestContext\":{");
	event_put_str(e, "routeKey", e->setting->route_key);
	if (e->context->authorizer.len > 0)
		put_authorizer(e);
	if (c->kind == GATEPOST__EVENT__KIND__MESSAGE)
		put_message_id(e);
	if (bye)
		event_put_number(e, "disconnectStatusCode", c->code);
	event_put_str(e, "eventType", type_of(c));
	event_put_str(e, "extendedRequestId", e->request_id);
	json_out_raw(&e->out, "\"requestTime\":\"");
	event_put_time(e);
	json_out_raw(&e->out, "\",\"messageDirection\":\"IN\",");
	if (bye)
		event_put(e, "disconnectReason", c->body);
	event_put_str(e, "stage", e->setting->stage);
	event_put_number(e, "connectedAt", e->context->connected_at_ms);
	event_put_number(e, "requestTimeEpoch", c->time_ms);
	put_identity(e);
	event_put_str(e, "requestId", e->request_id);
	event_put(e, "domainName", span_from(e->context->domain));
	event_put_str(e, "connectionId", e->connection_id);
	event_put_last(e, "apiId", e->setting->api_id);
	json_out_raw(&e->out, "}");
}

static void put_identity(struct event *e)
{
	json_out_raw(&e->out, "\"identity\":{");
	if (e->context->user_agent.len > 0)
		event_put(e, "userAgent", span_from(e->context->user_agent));
	event_put(e, "sourceIp", span_from(e->context->source_ip));
}
