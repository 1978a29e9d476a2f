#include "runtime_bed.h"

#include "base/clock.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>

struct runtime_bed runtime_bed;

static void on_moment(void *arg)
{
	(void)arg;
	loop_stop(runtime_bed.loop);
}

static void on_end(void *arg, const struct result *r)
{
	int i = runtime_bed.n++;

	runtime_bed.ended[i].kind = r->kind;
	runtime_bed.ended[i].which = arg;
	snprintf(runtime_bed.ended[i].why, sizeof runtime_bed.ended[i].why, "%s",
		 r->why ? r->why : "");
	snprintf(runtime_bed.ended[i].payload, sizeof runtime_bed.ended[i].payload,
		 "%.*s", SPAN_ARG(r->payload));
	if (runtime_bed.frees)
		runtime_free(runtime_bed.runtime);
}

void runtime_bed_start(int64_t queue, int64_t wait_ms)
{
	runtime_bed = (struct runtime_bed){.loop = loop_new(), .metrics = metrics_new()};
	runtime_bed.moment = timer_new(runtime_bed.loop, on_moment, NULL);
	runtime_bed.runtime = runtime_new(runtime_bed.loop, runtime_bed.metrics,
					  &(struct runtime_conf){.function = "f",
								 .address = "127.0.0.1:0",
								 .queue = queue,
								 .wait_ms = wait_ms});
	cr_assert_not_null(runtime_bed.runtime);
}

void runtime_bed_stop(void)
{
	if (!runtime_bed.frees)
		runtime_free(runtime_bed.runtime);
	timer_free(runtime_bed.moment);
	loop_free(runtime_bed.loop);
	metrics_free(runtime_bed.metrics);
}

void runtime_bed_turn(void)
{
	timer_after(runtime_bed.moment, 1);
	loop_run(runtime_bed.loop);
}

void runtime_bed_invoke_for_client(const char *client, const char *id, int64_t timeout_ms,
				   bool again)
{
	runtime_invoke(
		runtime_bed.runtime,
		&(struct runtime_request){.id = id,
					  .client = span_of(client, strlen(client)),
					  .arn = "arn:aws:lambda:r:1:function:f",
					  .event = blob_new(span_str("{\"a\":1}")),
					  .timeout_ms = timeout_ms,
					  .again = again},
		on_end, (void *)(uintptr_t)id);
}

void runtime_bed_invoke_for(const char *id, int64_t timeout_ms, bool again)
{
	runtime_bed_invoke_for_client(id, id, timeout_ms, again);
}

void runtime_bed_invoke(const char *id)
{
	runtime_bed_invoke_for(id, PATIENCE_MS, false);
}

void runtime_bed_ended(int n)
{
	int64_t until = clock_ms() + PATIENCE_MS;

	while (runtime_bed.n < n && clock_ms() < until)
		runtime_bed_turn();
	cr_assert_eq(runtime_bed.n, n);
}
