#include "broker/routes/project.h"

#include "broker/function/builtin.h"
#include "tests/unit/base/capture.h"
#include "tests/unit/fakes/fake_loop.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LOOK_MS = 1000 };

static struct loop *loop;
static struct integration integrations[INTEGRATIONS];
static char folder[] = "/tmp/gatepost-unit.XXXXXX", file[64];
static struct project *project;
static size_t loaded;

static void on_loaded(void *arg)
{
	(void)arg;
	loaded++;
}

static void start(void)
{
	loop = loop_new();
	integrations[CONFIG_BUILTIN] = builtin_integration();
	cr_assert(mkdtemp(folder) != NULL);
	snprintf(file, sizeof file, "%s/gatepost.yml", folder);
}

static void stop(void)
{
	project_free(project);
	loop_free(loop);
	unlink(file);
	rmdir(folder);
}

TestSuite(project, .init = start, .fini = stop);

static bool open_with(struct project_conf conf)
{
	project = project_new(
		&conf, &(struct project_uses){.routes = {.loop = loop,
							 .integrations = integrations,
							 .api_id = "a",
							 .account = "1"},
					      .loaded = on_loaded});
	return project != NULL;
}

/* The file, with this text for the key of its one route beside $default. Each has its own length. */
static void write_file(const char *text)
{
	FILE *f = fopen(file, "w");

	cr_assert(f != NULL);
	fputs(text, f);
	cr_assert(eq(int, fclose(f), 0));
}

static void write_route(const char *key)
{
	char text[300];

	snprintf(text, sizeof text,
		 "service: s\nprovider: {stage: test}\nfunctions:\n  f:\n    handler: "
		 "builtin:echo\n    events: [{websocket: {route: %s}}]\n",
		 key);
	write_file(text);
}

static bool has_route(const char *key)
{
	return route_find(project_routes(project), span_str(key)) != NULL;
}

Test(project, without_a_file_has_the_built_in_routes)
{
	cr_assert(open_with((struct project_conf){.default_handler = "builtin:reject"}));
	cr_assert(eq(str, (char *)(uintptr_t)project_stage(project), "dev"));
	cr_assert(has_route("$connect") && has_route("echo") && has_route("$default"));
	fake_loop_run(loop, 3 * LOOK_MS);
	cr_assert(eq(sz, loaded, 0));
}

Test(project, without_a_file_has_the_stage_and_the_selection_that_were_set)
{
	bool too_big;
	const struct route *r;

	cr_assert(open_with((struct project_conf){.stage = "prod",
						  .selection = "$request.body.kind",
						  .default_handler = "builtin:reject"}));
	cr_assert(eq(str, (char *)(uintptr_t)project_stage(project), "prod"));
	r = route_select(project_routes(project), span_str("{\"kind\":\"ping\"}"), false,
			 &too_big);
	cr_assert(eq(str, (char *)(uintptr_t)r->event.key, "ping"));
}

Test(project, of_a_file_has_its_routes_and_what_they_tell_an_event)
{
	const struct route *r;

	write_route("one");
	cr_assert(open_with((struct project_conf){.file = file}));
	cr_assert(eq(str, (char *)(uintptr_t)project_stage(project), "test"));
	r = route_find(project_routes(project), span_str("one"));
	cr_assert(eq(str, (char *)(uintptr_t)r->event.key, "one"));
	cr_assert(eq(str, (char *)(uintptr_t)r->event.function, "f"));
	cr_assert(eq(str,
		     (char *)(uintptr_t)routes_setting(project_routes(project))->service,
		     "s"));
}

Test(project, is_not_opened_without_a_file_that_can_be_read)
{
	struct capture *c = capture_start(STDERR_FILENO);
	char *text;

	cr_assert(not(open_with((struct project_conf){.file = file})));
	write_file("functions: [\n");
	cr_assert(not(open_with((struct project_conf){.file = file})));
	text = capture_end(c);
	cr_assert(strstr(text, "config.invalid") != NULL, "%s", text);
	free(text);
}

Test(project, reads_a_file_that_changed_within_a_second_and_announces_that_once)
{
	write_route("one");
	cr_assert(open_with((struct project_conf){.file = file}));
	fake_loop_run(loop, 3 * LOOK_MS);
	cr_assert(eq(sz, loaded, 0));
	write_route("another");
	fake_loop_run(loop, LOOK_MS);
	cr_assert(has_route("another") && !has_route("one"));
	fake_loop_run(loop, 3 * LOOK_MS);
	cr_assert(eq(sz, loaded, 1));
}

Test(project, reads_its_file_again_when_it_is_asked_to)
{
	write_route("one");
	cr_assert(open_with((struct project_conf){.file = file}));
	write_route("another");
	fake_loop_reload(loop);
	cr_assert(has_route("another"));
	fake_loop_reload(loop);
	cr_assert(eq(sz, loaded, 2));
}

Test(project, keeps_its_routes_when_the_new_file_is_invalid_or_missing)
{
	struct capture *c;
	char *text;

	write_route("one");
	cr_assert(open_with((struct project_conf){.file = file}));
	c = capture_start(STDERR_FILENO);
	write_file("functions: [\n");
	fake_loop_run(loop, 2 * LOOK_MS);
	text = capture_end(c);
	cr_assert(strstr(text, "config.rejected") != NULL, "%s", text);
	free(text);
	cr_assert(has_route("one"));
	unlink(file);
	fake_loop_run(loop, 2 * LOOK_MS);
	cr_assert(has_route("one"));
	cr_assert(eq(sz, loaded, 0));
}

/* A call that began with them. */
Test(project, keeps_the_old_routes_while_they_are_referenced)
{
	struct routes *old;

	write_route("one");
	cr_assert(open_with((struct project_conf){.file = file}));
	old = routes_ref(project_routes(project));
	write_route("another");
	fake_loop_reload(loop);
	cr_assert(route_find(old, span_str("one")) != NULL);
	cr_assert(project_routes(project) != old);
	routes_unref(old);
}
