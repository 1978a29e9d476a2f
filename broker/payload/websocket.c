/*
 * The events of a connection, with keys in the order in which API Gateway writes them.
 *
 * source  aws-websocket-api 2.2, 3: captures of 2022 to 2025 agree on these keys and no others
 */
#include "broker/payload/parts.h"
#include "proto/batch.h"

#include <assert.h>
#include <stdlib.h>

static void put_request(struct event *e);
static void put_pseudo_headers(struct event *e);
static void put_context(struct event *e);
static void put_authorizer(struct event *e);
static void put_message_id(struct event *e);
static void put_identity(struct event *e);

static bool is(const struct event *e, Gatepost__Event__Kind kind)
{
	return e->in->kind == kind;
}

static bool has_connection(const struct event *e)
{
	return e->in->channel == NULL || !e->in->channel->is_of_cluster;
}

void event_websocket(struct event *e)
{
	json_out_raw(&e->out, "{");
	if (e->request != NULL)
		put_request(e);
	else if (is(e, GATEPOST__EVENT__KIND__DISCONNECT))
		put_pseudo_headers(e);
	put_context(e);
	if (is(e, GATEPOST__EVENT__KIND__MESSAGE) && has_connection(e))
		event_put_body(e, e->in->binary);
	else
		event_put_flag(e, "isBase64Encoded", false);
	event_close(e);
}

/* Headers and query of the upgrade; when it had no query there are no keys for it. */
static void put_request(struct event *e)
{
	(void)event_put_maps(e, EVENT_HEADERS_UPGRADE);
}

/* API Gateway's value where a disconnect has no request. */
static void put_pseudo_headers(struct event *e)
{
	struct fields headers;

	fields_init(&headers, true);
	fields_add(&headers, span_str("Host"), span_from(e->context->domain));
	fields_add(&headers, span_str("x-api-key"), span_str(""));
	fields_add(&headers, span_str("X-Forwarded-For"), span_str(""));
	fields_add(&headers, span_str("x-restapi"), span_str(""));
	json_out_key(&e->out, "headers");
	fields_write_last(&headers, &e->out);
	json_out_key(&e->out, "multiValueHeaders");
	fields_write_each(&headers, &e->out);
	fields_close(&headers);
}

/* Empty maps are there, where the events of functions leave them out. */
void event_authorizer(struct event *e)
{
	char *arn = event_arn(e->in->setting);
	struct fields headers, query;

	event_headers(e, EVENT_HEADERS_AUTHORIZER, &headers);
	event_query(e, &query);
	json_out_raw(&e->out, "{");
	event_put_str(e, "type", "REQUEST");
	event_put_str(e, "methodArn", arn);
	json_out_key(&e->out, "headers");
	fields_write_last(&headers, &e->out);
	json_out_key(&e->out, "multiValueHeaders");
	fields_write_each(&headers, &e->out);
	json_out_key(&e->out, "queryStringParameters");
	fields_write_last(&query, &e->out);
	json_out_key(&e->out, "multiValueQueryStringParameters");
	fields_write_each(&query, &e->out);
	event_open(e, "stageVariables");
	event_close(e);
	put_context(e);
	event_close(e);
	fields_close(&headers);
	fields_close(&query);
	free(arn);
}

static const char *type_of(const struct invocation *in)
{
	static const char *const types[] = {
		[GATEPOST__EVENT__KIND__CONNECT] = "CONNECT",
		[GATEPOST__EVENT__KIND__MESSAGE] = "MESSAGE",
		[GATEPOST__EVENT__KIND__DISCONNECT] = "DISCONNECT",
	};

	if (in->channel != NULL)
		return "CHANNEL";
	assert(in->kind < sizeof types / sizeof *types && types[in->kind] != NULL);
	return types[in->kind];
}

static void put_channel(struct event *e)
{
	const struct channel_event *c = e->in->channel;

	if (c == NULL)
		return;
	event_open(e, "channel");
	event_put(e, "name", c->name);
	event_put_str(e, "namespace", c->name_space);
	event_put_str(e, "action", c->action);
	if (c->epoch.n > 0) {
		event_put(e, "epoch", c->epoch);
		event_put_number(e, "offset", c->offset);
	}
	event_close(e);
}

static void put_context(struct event *e)
{
	bool bye = is(e, GATEPOST__EVENT__KIND__DISCONNECT);

	event_open(e, "requestContext");
	event_put_str(e, "routeKey", e->in->route->key);
	put_authorizer(e);
	if (is(e, GATEPOST__EVENT__KIND__MESSAGE) && has_connection(e))
		put_message_id(e);
	if (bye)
		event_put_number(e, "disconnectStatusCode", e->in->code);
	event_put_str(e, "eventType", type_of(e->in));
	event_put_str(e, "extendedRequestId", e->request_id);
	event_put_time(e, "requestTime");
	event_put_str(e, "messageDirection", "IN");
	if (bye)
		event_put(e, "disconnectReason", e->in->body);
	event_put_str(e, "stage", e->in->setting->stage);
	if (has_connection(e))
		event_put_number(e, "connectedAt", e->context->connected_at_ms);
	event_put_number(e, "requestTimeEpoch", e->in->time_ms);
	if (has_connection(e))
		put_identity(e);
	put_channel(e);
	event_put_str(e, "requestId", e->request_id);
	if (has_connection(e)) {
		event_put(e, "domainName", span_from(e->context->domain));
		event_put_str(e, "connectionId", e->connection_id);
	}
	event_put_str(e, "apiId", e->in->setting->api_id);
	event_close(e);
}

/* The authorizer's context: a JSON object already. */
static void put_authorizer(struct event *e)
{
	if (e->context->authorizer.len == 0)
		return;
	json_out_key(&e->out, "authorizer");
	json_out_span(&e->out, span_from(e->context->authorizer));
}

/* A message's own id: never that of an event, since events are not numbered as high. */
static void put_message_id(struct event *e)
{
	char text[ID_TEXT];
	uint64_t number = e->in->seq | UINT64_C(1) << 63;

	event_put_str(e, "messageId", id_request(&e->in->id, number, text));
}

static void put_identity(struct event *e)
{
	event_open(e, "identity");
	if (e->context->user_agent.len > 0)
		event_put(e, "userAgent", span_from(e->context->user_agent));
	event_put(e, "sourceIp", span_from(e->context->source_ip));
	event_close(e);
}
