#include "cli/up/project.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void say(void *arg, bool is_error, const char *file, int line, int column,
		const char *text)
{
	(void)arg;
	if (is_error && line)
		fprintf(stderr, "%s:%d:%d: %s\n", file, line, column, text);
	else if (is_error)
		fprintf(stderr, "%s: %s\n", file, text);
}

bool project_read(struct project *p, const struct up_conf *conf)
{
	p->options = (struct config_options){.stage = conf->stage, .say = say};
	if (conf->config)
		p->file = xstrdup(conf->config);
	else if (!conf->demo) /* which shows what is built in */
		p->file = config_find(".");
	if (p->file)
		p->config = config_read(p->file, &p->options);
	else
		p->config = config_builtin(conf->stage ? conf->stage : "dev",
					   CONFIG_SELECTION, up_conf_default_route(conf));
	if (p->config == NULL)
		return false;
	p->stage = xstrdup(p->config->stage);
	p->options.stage = p->stage;
	return true;
}

char *project_folder(const struct project *p)
{
	const char *slash = strrchr(p->file, '/');

	if (slash == NULL)
		return xstrdup(".");
	return slash == p->file ? xstrdup("/")
				: xasprintf("%.*s", (int)(slash - p->file), p->file);
}

void project_close(struct project *p)
{
	config_free(p->config);
	free(p->file);
	free(p->stage);
	*p = (struct project){0};
}
