#include "redis/meter.h"

#include "redis/redis.h"

#include <stdio.h>

enum { LABELS = 64 };

/* rest: more labels, or "". out has LABELS bytes. NULL when there are none. */
static const char *labels(char *out, const char *name, const char *rest)
{
	if (name == NULL)
		return rest[0] != '\0' ? rest : NULL;
	snprintf(out, LABELS, "connection=\"%s\"%s%s", name, rest[0] != '\0' ? "," : "",
		 rest);
	return out;
}

static struct metric *errors(struct metrics *m, const char *name, const char *kind)
{
	char all[LABELS];

	return metric_counter(m, "gatepost_redis_errors_total", labels(all, name, kind),
			      "Requests to Redis that failed, by kind.");
}

static int64_t ask_up(void *arg)
{
	return redis_is_up(arg);
}

static int64_t ask_in_flight(void *arg)
{
	return (int64_t)redis_in_flight(arg);
}

void redis_meter_init(struct redis_meter *c, struct metrics *m, const char *name,
		      struct redis *r)
{
	char text[LABELS];
	const char *all = labels(text, name, "");

	*c = (struct redis_meter){0};
	if (m == NULL)
		return;
	c->requests = metric_counter(m, "gatepost_redis_requests_total", all,
				     "Commands sent to Redis.");
	c->errors[ERR_MALFORMED] = errors(m, name, "kind=\"malformed\"");
	c->errors[ERR_BUSY] = errors(m, name, "kind=\"busy\"");
	c->errors[ERR_DOWN] = errors(m, name, "kind=\"down\"");
	c->late = metric_counter(m, "gatepost_redis_late_total", all,
				 "Requests without a reply within redis-timeout.");
	c->losses = metric_counter(m, "gatepost_redis_disconnects_total", all,
				   "Times that a working connection to Redis was lost.");
	c->seconds = metric_seconds(m, "gatepost_redis_seconds", all,
				    "From sending a command to its reply.");
	metric_asked_gauge(m, "gatepost_redis_up", all, "1 while Redis can be asked.",
			   ask_up, r);
	metric_asked_gauge(m, "gatepost_redis_in_flight", all,
			   "Requests that wait for Redis.", ask_in_flight, r);
}
