#include "cli/up/workers.h"

#include "base/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is made of that which brokers tell of workers; that they run is in the integration tests. */

static struct {
	char folder[32];
	char *file;
	struct loop *loop;
	struct supervisor *supervisor;
	struct workers *workers;
	struct child *broker;
} fixture;

static void on_any(void *arg)
{
	(void)arg;
}

static void on_told(void *arg, struct child *c, const char *text)
{
	(void)arg;
	(void)c;
	(void)text;
}

static void on_gone(void *arg, struct child *c)
{
	(void)arg;
	(void)c;
}

/* /bin/true is a Python that has all that is looked for. */
static void start(void)
{
	static const struct config_options options;
	static const struct supervisor_watch watch = {on_any, on_any, on_told, on_gone,
						      NULL};
	FILE *f;

	strcpy(fixture.folder, "/tmp/gatepost-unit-XXXXXX");
	cr_assert_not_null(mkdtemp(fixture.folder));
	fixture.file = xasprintf("%s/gatepost.yml", fixture.folder);
	f = fopen(fixture.file, "w");
	fputs("provider: { name: aws, runtime: python3 }\n"
	      "functions:\n"
	      "  one: { handler: h.one, events: [ websocket: one ] }\n"
	      "  two: { handler: h.two, events: [ websocket: two ] }\n",
	      f);
	fclose(f);
	fixture.loop = loop_new();
	fixture.supervisor = supervisor_new(fixture.loop, fixture.folder, &watch);
	fixture.broker = supervisor_add(fixture.supervisor, (struct child_plan){
								    .role = ROLE_BROKER,
								    .name = "broker-0",
								    .if_missing = "",
							    });
	fixture.workers = workers_new(
		&(struct workers_plan){
			.supervisor = fixture.supervisor,
			.file = fixture.file,
			.options = &options,
			.python = "/bin/true",
			.management = "http://127.0.0.1:1",
			.brokers = 1,
		},
		config_read(fixture.file, &options));
	cr_assert_not_null(fixture.workers);
}

static void stop(void)
{
	supervisor_free(fixture.supervisor);
	workers_free(fixture.workers);
	loop_free(fixture.loop);
	unlink(fixture.file);
	rmdir(fixture.folder);
	free(fixture.file);
}

static struct child *worker(const char *name)
{
	const struct child *c;

	for (size_t at = 0; (c = supervisor_next(fixture.supervisor, &at));)
		if (strcmp(c->name, name) == 0)
			return (struct child *)(uintptr_t)c;
	cr_assert_fail("no %s", name);
	return NULL;
}

static void broker_says(const char *text)
{
	workers_told(fixture.workers, fixture.broker, text);
}

static bool has_worked_at_its_end(const char *name)
{
	struct child *c = worker(name);
	bool it_has;

	workers_lost(fixture.workers, c);
	it_has = c->has_worked;
	c->has_worked = false;
	return it_has;
}

Test(workers, one_that_was_gone_before_it_was_found_is_the_next_of_its_function_that_ends)
{
	start();
	cr_assert_not(has_worked_at_its_end("fn-one-0"));
	broker_says("X_GATEPOST_WORKER=polls 1 127.0.0.1:2 one");
	cr_assert_not(has_worked_at_its_end("fn-one-0"));
	broker_says("X_GATEPOST_WORKER=works 1 127.0.0.1:2 one");
	cr_assert_not(has_worked_at_its_end("fn-two-0"));
	cr_assert(has_worked_at_its_end("fn-one-1"));
	cr_assert_not(has_worked_at_its_end("fn-one-1"));
	stop();
}

Test(workers, strangers_that_poll_count_for_no_more_than_there_are_workers)
{
	start();
	for (int i = 0; i < 10; i++)
		broker_says("X_GATEPOST_WORKER=works 1 127.0.0.1:2 one");
	cr_assert(has_worked_at_its_end("fn-one-0"));
	cr_assert(has_worked_at_its_end("fn-one-0"));
	cr_assert_not(has_worked_at_its_end("fn-one-0"));
	stop();
}
