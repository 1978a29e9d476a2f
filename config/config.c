#include "config/config.h"

#include "config/authorizers.h"
#include "config/environment.h"
#include "config/namespaces.h"
#include "config/statements.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void free_function(struct config_function *f);

void config_free(struct config *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n_functions; i++)
		free_function(&c->functions[i]);
	for (size_t i = 0; i < c->n_routes; i++)
		free(c->routes[i].key);
	for (size_t i = 0; i < c->n_http; i++) {
		free(c->http[i].method);
		free(c->http[i].path);
	}
	for (size_t i = 0; i < c->n_authorizers; i++)
		authorizers_close(&c->authorizers[i]);
	namespaces_free(c);
	for (size_t i = 0; i < c->n_tables; i++) {
		free(c->tables[i].name);
		free(c->tables[i].definition);
	}
	free(c->tables);
	free(c->functions);
	free(c->routes);
	free(c->http);
	free(c->authorizers);
	free(c->file);
	free(c->service);
	free(c->stage);
	free(c->region);
	free(c->selection);
	free(c);
}

static void free_function(struct config_function *f)
{
	free(f->name);
	free(f->handler);
	free(f->runtime);
	environment_free(f->environment, f->n_environment);
	statements_free(f->statements, f->n_statements);
}

char *config_find(const char *folder)
{
	static const char *const names[] = {
		"gatepost.yml",
		"gatepost.yaml",
		"serverless.yml",
		"serverless.yaml",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char *path = strcmp(folder, ".") == 0
				     ? xstrdup(names[i])
				     : xasprintf("%s/%s", folder, names[i]);

		if (access(path, F_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}
