#include "broker/function/project.h"

#include "base/log.h"
#include "base/mem.h"
#include "broker/function/lambda.h"
#include "broker/function/route.h"
#include "config/config.h"

#include <stdlib.h>
#include <sys/stat.h>

enum { LOOK_MS = 1000 };

struct project {
	struct broker *broker;
	struct timer *look;
	struct stat seen; /* the file as it was when it was read last */
};

static void look(void *arg);
static void reload(void *arg);

/* In the order of the setting's choices. */
static const char *const default_handlers[] = {"builtin:reject", "builtin:echo"};

static void say(void *arg, bool is_error, const char *file, int line, int column,
		const char *text)
{
	(void)arg;
	if (is_error)
		log_error("config.invalid", S("file", file), I("line", line),
			  I("column", column), S("why", text));
	else
		log_info("config.ignored", S("file", file), I("line", line),
			 S("what", text));
}

static struct routes *read_routes(struct broker *b)
{
	const struct broker_conf *conf = &b->conf;
	struct config_options o = {.stage = conf->stage, .say = say};
	struct config *c;

	if (conf->config == NULL)
		c = config_builtin(conf->stage ? conf->stage : "dev",
				   conf->selection ? conf->selection
						   : "$request.body.action",
				   default_handlers[conf->default_route]);
	else
		c = config_read(conf->config, &o);
	return c != NULL ? routes_new(b, c) : NULL;
}

struct project *project_new(struct broker *b)
{
	struct project *p = xcalloc(1, sizeof *p);

	p->broker = b;
	b->routes = read_routes(b);
	if (b->routes == NULL) {
		project_free(p);
		return NULL;
	}
	if (b->conf.config == NULL)
		return p;
	(void)stat(b->conf.config, &p->seen);
	loop_on_reload(b->loop, reload, p);
	p->look = timer_new(b->loop, look, p);
	timer_every(p->look, LOOK_MS);
	return p;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void look(void *arg)
{
	struct project *p = arg;
	struct stat now;

	/* An editor may take the file away for a moment. */
	if (stat(p->broker->conf.config, &now) == 0 && !is_same(&now, &p->seen))
		reload(p);
}

static void reload(void *arg)
{
	struct project *p = arg;
	struct broker *b = p->broker;
	struct routes *r;

	(void)stat(b->conf.config, &p->seen);
	r = read_routes(b);
	if (r == NULL) {
		log_error("config.rejected", S("file", b->conf.config),
			  S("hint",
			    "fix the file; the previous configuration stays active"));
		return;
	}
	routes_unref(b->routes);
	b->routes = r;
	log_info("config.loaded", S("file", b->conf.config));
	lambda_tell(b);
}

void project_free(struct project *p)
{
	if (p == NULL)
		return;
	timer_free(p->look);
	routes_unref(p->broker->routes);
	p->broker->routes = NULL;
	free(p);
}
