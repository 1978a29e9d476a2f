#include "broker/routes/project.h"

#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <xxhash.h>

enum { LOOK_MS = 1000 };

struct project {
	struct project_conf conf;
	struct project_uses uses;
	struct routes *routes;
	struct timer *look;
	uint64_t seen; /* the files as they were when they were read last */
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
	struct config_options o = {
		.stage = conf->stage,
		.account = p->uses.routes.account,
		.say = report,
	};
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

static bool mix(uint64_t *sum, const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return false;

	const uint64_t parts[] = {(uint64_t)st.st_dev, (uint64_t)st.st_ino,
				  (uint64_t)st.st_size, (uint64_t)st.st_mtim.tv_sec,
				  (uint64_t)st.st_mtim.tv_nsec};

	*sum = *sum * 31 + XXH3_64bits(parts, sizeof parts);
	return true;
}

/*
 * What the file and the keys that it names are now: a volume of Kubernetes replaces a symlink above
 * them, and so each of them at once. False when one is missing.
 */
static bool look(const struct project *p, uint64_t *out)
{
	const struct config *c = routes_config(p->routes);
	bool ok;

	*out = 0;
	ok = mix(out, p->conf.file);
	for (size_t i = 0; ok && i < c->n_authorizers; i++)
		if (c->authorizers[i].key_file != NULL)
			ok = mix(out, c->authorizers[i].key_file);
	return ok;
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
	(void)look(p, &p->seen);
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

static void check(void *arg)
{
	struct project *p = arg;
	uint64_t now;

	/* An editor may remove a file for a moment. */
	if (look(p, &now) && now != p->seen)
		reload(p);
}

static void reload(void *arg)
{
	struct project *p = arg;
	struct routes *r;

	(void)look(p, &p->seen);
	r = read_routes(p);
	if (r == NULL) {
		log_error("config.rejected", S("file", p->conf.file),
			  S("hint",
			    "fix the file; the previous configuration stays active"));
		return;
	}
	routes_unref(p->routes);
	p->routes = r;
	(void)look(p, &p->seen); /* it may name other keys */
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
