/*
 * The event of a plain request to an `http` route: payload 1.0, as a REST API sends it.
 *
 * source  AWS Lambda: "Invoking a Lambda function using an Amazon API Gateway endpoint",
 *         whose captured event has these keys in this order
 */
#include "broker/payload/parts.h"
#include "proto/batch.h"

#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

static void put_maps(struct event *e);
static void put_context(struct event *e);
static void put_identity(struct event *e);

static void put_null(struct event *e, const char *name)
{
	json_out_key(&e->out, name);
	json_out_raw(&e->out, "null");
}

void event_rest(struct event *e)
{
	json_out_raw(&e->out, "{");
	event_put_str(e, "resource", e->in->route->resource);
	event_put_str(e, "path", e->in->path);
	event_put(e, "httpMethod", span_from(e->request->method));
	put_maps(e);
	if (!event_put_parameters(e))
		put_null(e, "pathParameters");
	put_null(e, "stageVariables");
	put_context(e);
	if (!event_put_http_body(e)) {
		put_null(e, "body");
		event_put_flag(e, "isBase64Encoded", false);
	}
	event_close(e);
}

static void put_maps(struct event *e)
{
	if (event_put_maps(e, EVENT_HEADERS_PLAIN))
		return;
	put_null(e, "queryStringParameters");
	put_null(e, "multiValueQueryStringParameters");
}

/* Six characters that are always the same for a resource, as AWS's are. */
static void put_resource_id(struct event *e)
{
	struct span resource = span_str(e->in->route->resource);
	char text[7];

	snprintf(text, sizeof text, "%06" PRIx64,
		 XXH3_64bits(resource.p, resource.n) & 0xffffff);
	event_put_str(e, "resourceId", text);
}

static void put_context(struct event *e)
{
	event_open(e, "requestContext");
	put_resource_id(e);
	event_put_str(e, "resourcePath", e->in->route->resource);
	event_put(e, "httpMethod", span_from(e->request->method));
	event_put_str(e, "extendedRequestId", e->request_id);
	event_put_time(e, "requestTime");
	event_put(e, "path", span_from(e->request->path));
	event_put_str(e, "accountId", e->in->setting->account);
	event_put_str(e, "protocol", "HTTP/1.1");
	event_put_str(e, "stage", e->in->setting->stage);
	event_put(e, "domainPrefix", event_domain_prefix(e));
	event_put_number(e, "requestTimeEpoch", e->in->time_ms);
	event_put_str(e, "requestId", e->request_id);
	put_identity(e);
	event_put(e, "domainName", span_from(e->context->domain));
	event_put_str(e, "apiId", e->in->setting->api_id);
	event_close(e);
}

/* All but two describe callers with an AWS identity, which do not exist here. */
static void put_identity(struct event *e)
{
	event_open(e, "identity");
	put_null(e, "cognitoIdentityPoolId");
	put_null(e, "accountId");
	put_null(e, "cognitoIdentityId");
	put_null(e, "caller");
	event_put(e, "sourceIp", span_from(e->context->source_ip));
	put_null(e, "principalOrgId");
	put_null(e, "accessKey");
	put_null(e, "cognitoAuthenticationType");
	put_null(e, "cognitoAuthenticationProvider");
	put_null(e, "userArn");
	if (e->context->user_agent.len > 0)
		event_put(e, "userAgent", span_from(e->context->user_agent));
	else
		put_null(e, "userAgent");
	put_null(e, "user");
	event_close(e);
}
