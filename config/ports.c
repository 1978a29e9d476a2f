#include "config/ports.h"

#include <string.h>

static struct config_function *find(struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_functions; i++)
		if (strcmp(c->functions[i].name, name) == 0)
			return &c->functions[i];
	return NULL;
}

static const struct config_function *find_port(const struct config *c, int64_t port)
{
	for (size_t i = 0; i < c->n_functions; i++)
		if (c->functions[i].port == port)
			return &c->functions[i];
	return NULL;
}

static void read_port(struct reading *r, const struct value *v)
{
	struct config_function *f = find(r->config, v->key.name);
	const struct config_function *other;
	int64_t port;

	if (f == NULL || f->sort != CONFIG_LAMBDA) {
		reading_error(r, v->node->at, &v->key,
			      f == NULL ? "there is no such function in use"
					: "workers poll only for a function with a "
					  "runtime");
		return;
	}
	if (!value_int(r, v, 1, 65535, "as a port", &port))
		return;
	other = find_port(r->config, port);
	if (other != NULL)
		reading_error(r, v->node->at, &v->key, "function %s has this port too",
			      other->name);
	f->port = port;
}

void ports_read(struct reading *r)
{
	struct value v;

	if (r->ports.node == NULL || !value_is_map(r, &r->ports))
		return;
	for (size_t i = 0; i < value_count(&r->ports); i++)
		if (value_at(r, &r->ports, i, &v))
			read_port(r, &v);
}
