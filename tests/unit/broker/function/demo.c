#include "broker/function/builtin.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

static struct {
	int status;
	char *page;
	bool is_html, has_policy;
} got;

static void on_result(void *arg, const struct result *r)
{
	(void)arg;
	cr_assert(eq(int, r->kind, RESULT_OK));
	got.status = r->status;
	got.page = span_dup(r->body);
	for (size_t i = 0; i < r->n_headers; i++) {
		const struct result_header *h = &r->headers[i];

		if (strcmp(h->name, "Content-Type") == 0)
			got.is_html = strcmp(h->value, "text/html; charset=utf-8") == 0;
		if (strcmp(h->name, "Content-Security-Policy") == 0)
			got.has_policy = strstr(h->value, "script-src 'sha256-") != NULL;
	}
}

static void load(const char *stage)
{
	struct config_function config = {.handler = (char *)(uintptr_t) "builtin:demo"};
	struct event_setting setting = {.stage = stage};
	struct invocation in = {.kind = GATEPOST__EVENT__KIND__HTTP, .setting = &setting};
	struct integration all = builtin_integration();
	void *state = all.open(all.arg, &config);

	cr_assert(state != NULL);
	all.invoke(state, &config, &in, EVENT_PROXY, on_result, NULL);
	all.close(state);
}

Test(demo, is_one_document_that_names_the_stage)
{
	load("beta-2");
	cr_assert(eq(int, got.status, 200));
	cr_assert(got.is_html && got.has_policy);
	cr_assert(strncmp(got.page, "<!doctype html>", 15) == 0);
	cr_assert(strstr(got.page, " data-stage=\"beta-2\"") != NULL);
	cr_assert(strcmp(got.page + strlen(got.page) - 8, "</html>\n") == 0);
	free(got.page);
}

Test(demo, holds_the_client_and_refers_to_nothing_else)
{
	load("dev");
	cr_assert(strstr(got.page, "class Client extends Emitter") != NULL);
	cr_assert(strstr(got.page, "import ") == NULL);
	cr_assert(strstr(got.page, "export ") == NULL);
	cr_assert(strstr(got.page, " src=") == NULL);
	free(got.page);
}

Test(demo, a_stage_cannot_add_to_the_document)
{
	load("\"><script>\xc3\xa9");
	cr_assert(strstr(got.page, " data-stage=\"%22%3E%3Cscript%3E%C3%A9\"") != NULL);
	free(got.page);
}
