#include "broker/routes/project.h"

#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"

#include <stdlib.h>
#include <sys/stat.h>

enum { LOOK_MS = 1000 };

struct project {
	struct project_conf conf;
	struct project_uses uses;
	struct routes *routes;
	struct timer *look;
	struct stat seen; /* the file as it was when it was read last */
};

static void check(void *arg);
static void reload(void *arg);

static void report(void *arg, bool is_error, const char *file, int line, int column,
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

static struct routes *read_routes(const struct project *p)
{
	const struct project_conf *conf = &p->conf;
	struct config_options o = {.stage = conf->stage, .say = report};
	struct config *c;

	if (conf->file == NULL)
		c = config_builtin(conf->stage ? conf->stage : "dev",
				   conf->selection ? conf->selection
						   : "$request.body.action",
				   conf->default_handler);
	else
		c = config_read(conf->file, &o);
	return c != NULL ? routes_new(&p->uses.routes, c) : NULL;
}

struct project *project_new(const struct project_conf *conf,
			    const struct project_uses *uses)
{
	struct loop *l = uses->routes.loop;
	struct project *p = xcalloc(1, sizeof *p);

	p->conf = *conf;
	p->uses = *uses;
	p->routes = read_routes(p);
	if (p->routes == NULL) {
		project_free(p);
		return NULL;
	}
	if (conf->file == NULL)
		return p;
	(void)stat(conf->file, &p->seen);
	loop_on_reload(l, reload, p);
	p->look = timer_new(l, check, p);
	timer_every(p->look, LOOK_MS);
	return p;
}

struct routes *project_routes(const struct project *p)
{
	return p->routes;
}

const char *project_stage(const struct project *p)
{
	return routes_config(p->routes)->stage;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void check(void *arg)
{
	struct project *p = arg;
	struct stat now;

	/* An editor may remove the file for a moment. */
	if (stat(p->conf.file, &now) == 0 && !is_same(&now, &p->seen))
		reload(p);
}

static void reload(void *arg)
{
	struct project *p = arg;
	struct routes *r;

	(void)stat(p->conf.file, &p->seen);
	r = read_routes(p);
	if (r == NULL) {
		log_error("config.rejected", S("file", p->conf.file),
			  S("hint",
			    "fix the file; the previous configuration stays active"));
		return;
	}
	routes_unref(p->routes);
	p->routes = r;
	log_info("config.loaded", S("file", p->conf.file));
	p->uses.loaded(p->uses.arg);
}

void project_free(struct project *p)
{
	if (p == NULL)
		return;
	timer_free(p->look);
	routes_unref(p->routes);
	free(p);
}
