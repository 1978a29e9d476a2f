#include "fake_function.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

static struct waiting {
	const struct invocation *in;
	enum event_form form;
	result_fn *fn;
	void *arg;
} waiting[FAKE_INVOCATIONS];
static size_t n;
static const struct result *at_once;

static void *open_fake(void *arg, const struct config_function *config)
{
	(void)arg;
	return strcmp(config->handler, "none") == 0 ? NULL : waiting;
}

static void close_fake(void *state)
{
	(void)state;
}

static void invoke(void *state, const struct config_function *config,
		   const struct invocation *in, enum event_form form, result_fn *fn,
		   void *arg)
{
	(void)state;
	(void)config;
	if (at_once != NULL) {
		fn(arg, at_once);
		return;
	}
	cr_assert(lt(sz, n, FAKE_INVOCATIONS));
	waiting[n++] = (struct waiting){in, form, fn, arg};
}

struct integration fake_function(void)
{
	return (struct integration){open_fake, close_fake, invoke, NULL};
}

size_t fake_function_waiting(void)
{
	return n;
}

static const struct waiting *oldest(void)
{
	cr_assert(gt(sz, n, 0), "no function was invoked");
	return &waiting[0];
}

const struct invocation *fake_function_invocation(void)
{
	return oldest()->in;
}

enum event_form fake_function_form(void)
{
	return oldest()->form;
}

void fake_function_end(const struct result *r)
{
	struct waiting w = *oldest();

	memmove(waiting, waiting + 1, --n * sizeof *waiting);
	w.fn(w.arg, r);
}

void fake_function_return(int status)
{
	fake_function_end(&(struct result){.kind = RESULT_OK, .status = status});
}

void fake_function_fail(enum result_kind kind)
{
	fake_function_end(&(struct result){.kind = kind, .why = "the fake failed"});
}

void fake_function_answer_at_once(const struct result *r)
{
	at_once = r;
}

void fake_function_reset(void)
{
	n = 0;
	at_once = NULL;
}
