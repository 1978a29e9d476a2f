#include "base/ready.h"

#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <systemd/sd-daemon.h>

enum { ASK_MS = 20 };

struct ready {
	struct timer *timer;
	ready_fn *fn;
	void *arg;
	char *text;
};

static void ask(void *arg)
{
	struct ready *r = arg;

	if (r->fn(r->arg) != NULL)
		return;
	timer_stop(r->timer);
	log_info("process.ready");
	sd_notifyf(0, "READY=1\n%s", r->text);
}

struct ready *ready_new(struct loop *l, ready_fn *fn, void *arg, const char *text)
{
	struct ready *r = xcalloc(1, sizeof *r);

	r->fn = fn;
	r->arg = arg;
	r->text = xstrdup(text);
	r->timer = timer_new(l, ask, r);
	timer_every(r->timer, ASK_MS);
	return r;
}

void ready_free(struct ready *r)
{
	if (r == NULL)
		return;
	timer_free(r->timer);
	free(r->text);
	free(r);
}
