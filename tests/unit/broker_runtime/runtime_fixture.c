#include "runtime_fixture.h"

#include "base/clock.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>

struct runtime_fixture runtime_fixture;

static void on_moment(void *arg)
{
	(void)arg;
	loop_stop(runtime_fixture.loop);
}

static void on_end(void *arg, const struct result *r)
{
	int i = runtime_fixture.n++;

	runtime_fixture.ended[i].kind = r->kind;
	runtime_fixture.ended[i].which = arg;
	snprintf(runtime_fixture.ended[i].why, sizeof runtime_fixture.ended[i].why, "%s",
		 r->why ? r->why : "");
	snprintf(runtime_fixture.ended[i].payload,
		 sizeof runtime_fixture.ended[i].payload, "%.*s", SPAN_ARG(r->payload));
	if (runtime_fixture.frees)
		runtime_free(runtime_fixture.runtime);
}

void runtime_fixture_start(int64_t queue, int64_t wait_ms)
{
	runtime_fixture =
		(struct runtime_fixture){.loop = loop_new(), .metrics = metrics_new()};
	runtime_fixture.moment = timer_new(runtime_fixture.loop, on_moment, NULL);
	runtime_fixture.runtime =
		runtime_new(runtime_fixture.loop, runtime_fixture.metrics,
			    &(struct runtime_conf){.function = "f",
						   .address = "127.0.0.1:0",
						   .queue = queue,
						   .wait_ms = wait_ms});
	cr_assert_not_null(runtime_fixture.runtime);
}

void runtime_fixture_stop(void)
{
	if (!runtime_fixture.frees)
		runtime_free(runtime_fixture.runtime);
	timer_free(runtime_fixture.moment);
	loop_free(runtime_fixture.loop);
	metrics_free(runtime_fixture.metrics);
}

void runtime_fixture_turn(void)
{
	timer_after(runtime_fixture.moment, 1);
	loop_run(runtime_fixture.loop);
}

void runtime_fixture_invoke_for_client(const char *client, const char *id,
				       int64_t timeout_ms, bool again)
{
	runtime_invoke(
		runtime_fixture.runtime,
		&(struct runtime_request){.id = id,
					  .client = span_of(client, strlen(client)),
					  .arn = "arn:aws:lambda:r:1:function:f",
					  .event = blob_new(span_str("{\"a\":1}")),
					  .timeout_ms = timeout_ms,
					  .again = again},
		on_end, (void *)(uintptr_t)id);
}

void runtime_fixture_invoke_for(const char *id, int64_t timeout_ms, bool again)
{
	runtime_fixture_invoke_for_client(id, id, timeout_ms, again);
}

void runtime_fixture_invoke(const char *id)
{
	runtime_fixture_invoke_for(id, PATIENCE_MS, false);
}

void runtime_fixture_ended(int n)
{
	int64_t until = clock_ms() + PATIENCE_MS;

	while (runtime_fixture.n < n && clock_ms() < until)
		runtime_fixture_turn();
	cr_assert_eq(runtime_fixture.n, n);
}
