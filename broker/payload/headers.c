/*
 * The headers of an event: the client's, and those that a gateway adds. The rules are
 * in event.h.
 */
#include "broker/payload/parts.h"

#include "base/mem.h"
#include "proto/batch.h"

#include <inttypes.h>
#include <stdlib.h>
#include <xxhash.h>

/* Texts that are made for the headers, until fields_close. */
struct made {
	char trace[64];
	char forwarded_for[];
};

static struct span name_of(const Gatepost__Request *q, size_t i)
{
	return span_from(q->headers[i]->name);
}

/* The last header of this name; no bytes when there is none. */
static struct span find(const Gatepost__Request *q, const char *name)
{
	for (size_t i = q->n_headers; i-- > 0;)
		if (span_is_nocase(name_of(q, i), name))
			return span_from(q->headers[i]->value);
	return span_of(NULL, 0);
}

/* The trace of the connection, or of a plain request; the same each time the event is made. */
static struct span trace(const struct event *e, struct made *m)
{
	struct span came = find(e->request, "X-Amzn-Trace-Id");
	bool plain = e->in->kind == GATEPOST__EVENT__KIND__HTTP;
	int64_t ms = plain ? e->in->time_ms : e->context->connected_at_ms;
	const char *seed = plain ? e->request_id : e->connection_id;
	XXH128_hash_t h = XXH3_128bits(seed, strlen(seed));

	if (came.n > 0)
		return came;
	snprintf(m->trace, sizeof m->trace,
		 "Root=1-%08" PRIx32 "-%08" PRIx32 "%016" PRIx64, (uint32_t)(ms / 1000),
		 (uint32_t)h.high64, h.low64);
	return span_str(m->trace);
}

static struct span proto(const struct event *e)
{
	struct span came = find(e->request, "X-Forwarded-Proto");

	return came.n > 0 ? came : span_str("http");
}

/* The part after the last colon of Host, unless that is inside an IPv6 address. */
static struct span port(const struct event *e)
{
	struct span came = find(e->request, "X-Forwarded-Port");
	struct span host = span_from(e->context->domain);
	size_t at = host.n;

	if (came.n > 0)
		return came;
	while (at > 0 && host.p[at - 1] >= '0' && host.p[at - 1] <= '9')
		at--;
	if (at > 0 && at < host.n && host.p[at - 1] == ':')
		return span_of(host.p + at, host.n - at);
	return span_str(span_is_nocase(proto(e), "https") ? "443" : "80");
}

/* The client's addresses, then the one that the edge saw. */
static struct span forwarded_for(const struct event *e, char *to)
{
	const Gatepost__Request *q = e->request;
	size_t n = 0;

	for (size_t i = 0; i < q->n_headers; i++) {
		struct span came = span_from(q->headers[i]->value);

		if (!span_is_nocase(name_of(q, i), "X-Forwarded-For") || came.n == 0)
			continue;
		memcpy(to + n, came.p, came.n);
		memcpy(to + n + came.n, ", ", 2);
		n += came.n + 2;
	}
	if (e->context->source_ip.len > 0)
		memcpy(to + n, e->context->source_ip.data, e->context->source_ip.len);
	return span_of(to, n + e->context->source_ip.len);
}

/* Those that the gateway writes itself. */
static bool is_own(struct span name)
{
	static const char *const own[] = {"Host", "X-Amzn-Trace-Id", "X-Forwarded-For",
					  "X-Forwarded-Port", "X-Forwarded-Proto"};

	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (span_is_nocase(name, own[i]))
			return true;
	return span_is_nocase(name, "Connection") || span_is_nocase(name, "Upgrade");
}

static void add_clients(const struct event *e, enum event_headers how, struct fields *out)
{
	const Gatepost__Request *q = e->request;

	for (size_t i = 0; i < q->n_headers; i++) {
		bool length = span_is_nocase(name_of(q, i), "Content-Length");

		if (!is_own(name_of(q, i)) && !(length && how != EVENT_HEADERS_PLAIN))
			fields_add(out, name_of(q, i), span_from(q->headers[i]->value));
	}
}

void event_headers(const struct event *e, enum event_headers how, struct fields *out)
{
	/* Each name and value of the packed request has two bytes more around it than ", ". */
	size_t most =
		e->in->request.n + e->context->request.len + e->context->source_ip.len;
	struct made *m = xmalloc(sizeof *m + most);

	fields_init(out, true);
	out->texts = m;
	add_clients(e, how, out);
	if (how == EVENT_HEADERS_AUTHORIZER) {
		fields_add(out, span_str("Connection"), span_str("upgrade"));
		fields_add(out, span_str("content-length"), span_str("0"));
		fields_add(out, span_str("Upgrade"), span_str("websocket"));
	}
	fields_add(out, span_str("Host"), span_from(e->context->domain));
	fields_add(out, span_str("X-Amzn-Trace-Id"), trace(e, m));
	fields_add(out, span_str("X-Forwarded-For"), forwarded_for(e, m->forwarded_for));
	fields_add(out, span_str("X-Forwarded-Port"), port(e));
	fields_add(out, span_str("X-Forwarded-Proto"), proto(e));
	fields_sort(out);
}
