#include "redis/meter.h"

#include "redis/redis.h"

#include <stddef.h>

static struct metric *errors(struct metrics *m, const char *label)
{
	return metric_counter(m, "gatepost_redis_errors_total", label,
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

void redis_meter_init(struct redis_meter *c, struct metrics *m, struct redis *r)
{
	*c = (struct redis_meter){0};
	if (m == NULL)
		return;
	c->requests = metric_counter(m, "gatepost_redis_requests_total", NULL,
				     "Commands sent to Redis.");
	c->errors[ERR_MALFORMED] = errors(m, "kind=\"malformed\"");
	c->errors[ERR_BUSY] = errors(m, "kind=\"busy\"");
	c->errors[ERR_DOWN] = errors(m, "kind=\"down\"");
	c->late = metric_counter(m, "gatepost_redis_late_total", NULL,
				 "Requests without a reply within redis-timeout.");
	c->losses = metric_counter(m, "gatepost_redis_disconnects_total", NULL,
				   "Times that a working connection to Redis was lost.");
	c->seconds = metric_seconds(m, "gatepost_redis_seconds", NULL,
				    "From sending a command to its reply.");
	metric_asked_gauge(m, "gatepost_redis_up", NULL, "1 while Redis can be asked.",
			   ask_up, r);
	metric_asked_gauge(m, "gatepost_redis_in_flight", NULL,
			   "Requests that wait for Redis.", ask_in_flight, r);
}
