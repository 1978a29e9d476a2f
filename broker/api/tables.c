#include "broker/api/tables.h"

#include "base/crc32.h"
#include "base/mem.h"
#include "broker/api/pending.h"

#include <event2/util.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ID_TEXT_LENGTH = 52 };

static const char target_prefix[] = "DynamoDB_20120810.";

struct tables_api {
	struct tables *tables;
	struct pendings waiting;
	uint64_t random;
};

/* A request that waits for its answer. */
struct wait {
	struct pending pending;
	struct tables_api *api;
	struct tables_request *asked;
};

static void on_answer(void *arg, const struct tables_answer *answer);

struct tables_api *tables_api_new(struct tables *t)
{
	struct tables_api *api = xcalloc(1, sizeof *api);

	api->tables = t;
	LIST_INIT(&api->waiting);
	evutil_secure_rng_get_bytes(&api->random, sizeof api->random);
	return api;
}

void tables_api_free(struct tables_api *api)
{
	if (api == NULL)
		return;
	pendings_free(&api->waiting);
	free(api);
}

bool tables_api_is_for(const struct http_request *q)
{
	return span_is(q->head.path, "/") || tables_api_function(q).n > 0;
}

struct span tables_api_function(const struct http_request *q)
{
	static const char prefix[] = "/functions/";
	struct span path = q->head.path;
	size_t n = strlen(prefix);

	if (path.n <= n || memcmp(path.p, prefix, n) != 0)
		return (struct span){0};
	path = span_of(path.p + n, path.n - n);
	if (path.p[path.n - 1] == '/') /* SDKs end a path so */
		path.n--;
	return path.n > 0 && memchr(path.p, '/', path.n) == NULL ? path
								 : (struct span){0};
}

/* ---- answers ---- */

/* For logs and people; nobody relies on it, so any generator will do (Knuth's MMIX). */
static void write_id(struct tables_api *api, char out[ID_TEXT_LENGTH + 1])
{
	static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

	for (int i = 0; i < ID_TEXT_LENGTH; i++) {
		api->random = api->random * 6364136223846793005 + 1442695040888963407;
		out[i] = letters[(api->random >> 33) % 36];
	}
	out[ID_TEXT_LENGTH] = '\0';
}

static void reply(struct tables_api *api, struct http_request *q, int status,
		  struct span body)
{
	char id[ID_TEXT_LENGTH + 1], crc[12];
	struct response_header h[3];

	write_id(api, id);
	snprintf(crc, sizeof crc, "%u", crc32_of(body));
	h[0] = HTTP_HEADER("Content-Type", "application/x-amz-json-1.0");
	h[1] = HTTP_HEADER("x-amzn-RequestId", id);
	h[2] = HTTP_HEADER("x-amz-crc32", crc);
	http_reply(q, status, h, 3, body);
}

static void refuse(struct tables_api *api, struct http_request *q, int status,
		   const char *type, const char *message)
{
	char *body = tables_error(type, message);

	reply(api, q, status, span_str(body));
	free(body);
}

void tables_api_refuse(struct tables_api *api, struct http_request *q, const char *type,
		       const char *message)
{
	refuse(api, q, 400, type, message);
}

static void on_answer(void *arg, const struct tables_answer *answer)
{
	struct wait *w = arg;
	struct http_request *q = pending_take(&w->pending);

	if (q != NULL)
		reply(w->api, q, answer->status, answer->body);
	pending_free(&w->pending);
}

/* ---- requests ---- */

/* What health checks of DynamoDB's clients look for. */
static void reply_healthy(struct tables_api *api, struct http_request *q)
{
	char host[64] = "", text[96];

	(void)gethostname(host, sizeof host - 1);
	(void)api;
	snprintf(text, sizeof text, "healthy: %s ", host);
	http_reply(q, 200, &HTTP_HEADER("Content-Type", "text/plain"), 1, span_str(text));
}

static bool has_content_type(const struct http_request *q)
{
	const struct header *h = request_header(&q->head, "Content-Type");
	struct span type = h ? h->value : (struct span){0};
	const uint8_t *end = type.n > 0 ? memchr(type.p, ';', type.n) : NULL;

	if (end != NULL)
		type = span_trim(span_of(type.p, (size_t)(end - type.p)));
	return span_is_nocase(type, "application/x-amz-json-1.0") ||
	       span_is_nocase(type, "application/json");
}

/* "PutItem"; empty: it is none of DynamoDB's. */
static struct span read_target(const struct http_request *q)
{
	const struct header *h = request_header(&q->head, "X-Amz-Target");
	size_t n = strlen(target_prefix);

	if (h == NULL || h->value.n <= n || memcmp(h->value.p, target_prefix, n) != 0)
		return (struct span){0};
	return span_of(h->value.p + n, h->value.n - n);
}

void tables_api_request(struct tables_api *api, struct http_request *q,
			const struct tables_caller *caller)
{
	struct wait *w;

	if (span_is(q->head.method, "GET")) {
		reply_healthy(api, q);
	} else if (!span_is(q->head.method, "POST") || !has_content_type(q)) {
		refuse(api, q, 404, "UnknownOperationException", "");
	} else if (q->body.n > TABLES_BODY) {
		refuse(api, q, 413, "RequestEntityTooLargeException",
		       "A request has at most 16 MiB");
	} else {
		w = pending_new(&api->waiting, sizeof *w, q, NULL);
		w->api = api;
		w->asked = tables_request(
			api->tables,
			&(struct tables_call){read_target(q), q->body, *caller},
			on_answer, w);
	}
}
