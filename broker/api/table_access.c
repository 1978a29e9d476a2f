#include "broker/api/table_access.h"

#include "base/mem.h"
#include "config/policy.h"

#include <stdlib.h>
#include <string.h>

struct table_access {
	struct routes *routes;
	bool is_free;                           /* of statements */
	const struct config_function *function; /* NULL: unknown */
};

static const struct config_function *find(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_functions; i++)
		if (strcmp(c->functions[i].name, name) == 0)
			return &c->functions[i];
	return NULL;
}

struct table_access *table_access_new(struct routes *routes, const char *function)
{
	struct table_access *a = xcalloc(1, sizeof *a);
	const struct config *c = routes_config(routes);

	a->routes = routes_ref(routes);
	a->is_free = function == NULL || !c->has_statements;
	if (!a->is_free)
		a->function = find(c, function);
	return a;
}

void table_access_free(struct table_access *a)
{
	if (a == NULL)
		return;
	routes_unref(a->routes);
	free(a);
}

bool table_access_may(void *arg, const char *action, struct span table, struct span index)
{
	const struct table_access *a = arg;
	const struct config_function *f = a->function;

	if (a->is_free)
		return true;
	return f != NULL &&
	       policy_may(f->statements, f->n_statements, action, table, index);
}
