#include "config/authorizers.h"

#include "config/channels.h"
#include "config/identity_source.h"
#include "config/nearest.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static int find(struct reading *r, const struct value *v, const struct value *name);
static int add_request(struct reading *r, const struct value *v, size_t function);
static int unknown(struct reading *r, const struct value *v, const char *name);

int authorizers_add(struct config *c, struct config_authorizer a)
{
	c->authorizers =
		xrealloc(c->authorizers, (c->n_authorizers + 1) * sizeof *c->authorizers);
	c->authorizers[c->n_authorizers] = a;
	return (int)c->n_authorizers++;
}

void authorizers_close(struct config_authorizer *a)
{
	for (size_t i = 0; i < a->n_identity; i++)
		free(a->identity[i]);
	free(a->identity);
	free(a->name);
	free(a->algorithm);
	free(a->key);
	free(a->key_file);
	free(a->issuer);
	free(a->audience);
}

int authorizers_read(struct reading *r, const struct value *v)
{
	static const char *const names[] = {"name", "arn", "identitySource", NULL};
	struct value name, arn;

	if (value_intrinsic(v) || v->node->kind == NODE_TEXT)
		return find(r, v, v);
	if (!value_is(r, v, NODE_MAP, "a name, or a mapping with name or arn"))
		return CONFIG_NONE;
	value_refuse_others(r, v, names);
	bool is_name = value_get(r, v, "name", &name);
	bool is_arn = value_get(r, v, "arn", &arn);
	if (is_name == is_arn) {
		reading_error(r, v->node->at, &v->key, "%s; allowed: name or arn",
			      is_name ? "name and arn are both there"
				      : "name and arn are missing");
		return CONFIG_NONE;
	}
	return find(r, v, is_name ? &name : &arn);
}

/* The function's index among the drafts, or -1. */
static long find_function(const struct reading *r, const char *name)
{
	for (size_t i = 0; i < r->n_drafts; i++)
		if (strcmp(r->drafts[i].value.key.name, name) == 0)
			return (long)i;
	return -1;
}

/* arn:aws:lambda:REGION:ACCOUNT:function:NAME, where NAME may be SERVICE-STAGE-NAME as Serverless makes it. */
static long find_arn(struct reading *r, const struct value *v, const char *arn)
{
	const char *last = strrchr(arn, ':') + 1;
	char *prefix = xasprintf("%s-%s-", r->config->service, r->config->stage);
	size_t n = strlen(prefix);
	const char *name = strncmp(last, prefix, n) == 0 ? last + n : last;
	long i = find_function(r, name);

	if (i >= 0)
		reading_info(r, v->node->at, &v->key, "taken for the function %s", name);
	else
		reading_error(r, v->node->at, &v->key,
			      "\"%s\" is no function of this file; only those can be "
			      "authorizers here",
			      name);
	free(prefix);
	return i;
}

static int find_jwt(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_authorizers; i++)
		if (c->authorizers[i].sort == CONFIG_JWT &&
		    !c->authorizers[i].of_namespace &&
		    strcmp(c->authorizers[i].name, name) == 0)
			return (int)i;
	return CONFIG_NONE;
}

int authorizers_find_jwt(struct reading *r, const struct value *v)
{
	const char *text = value_peek(r, v), *meant;
	const char **names;
	int i = text ? find_jwt(r->config, text) : CONFIG_NONE;
	size_t n = 0;

	if (text == NULL || i != CONFIG_NONE)
		return i;
	names = xcalloc(r->config->n_authorizers + 1, sizeof *names);
	for (size_t k = 0; k < r->config->n_authorizers; k++)
		if (!r->config->authorizers[k].of_namespace)
			names[n++] = r->config->authorizers[k].name;
	meant = nearest_name(text, names);
	reading_error(
		r, v->node->at, &v->key,
		"there is no \"%s\"%s%s%s; allowed: the name of one of "
		"gatepost.authorizers, or a mapping with algorithm and key or keyFile",
		text, meant ? " (did you mean " : "", meant ? meant : "",
		meant ? "?)" : "");
	free(names);
	return CONFIG_NONE;
}

static int find(struct reading *r, const struct value *v, const struct value *name)
{
	const char *text = value_peek(r, name);

	if (text == NULL)
		return CONFIG_NONE;
	if (strncmp(text, "arn:", 4) == 0) {
		long i = find_arn(r, name, text);

		return i < 0 ? CONFIG_NONE : add_request(r, v, (size_t)i);
	}
	int jwt = find_jwt(r->config, text);
	long function = find_function(r, text);
	if (jwt != CONFIG_NONE && function >= 0)
		reading_error(r, name->node->at, &name->key,
			      "\"%s\" is a function and one of gatepost.authorizers: "
			      "give one of them another name",
			      text);
	if (jwt == CONFIG_NONE && function < 0)
		return unknown(r, name, text);
	if (jwt == CONFIG_NONE)
		return add_request(r, v, (size_t)function);
	if (node_get(v->node, "identitySource"))
		reading_error(r, v->node->at, &v->key,
			      "identitySource belongs to gatepost.authorizers.%s", text);
	return jwt;
}

static int unknown(struct reading *r, const struct value *v, const char *name)
{
	const char **names =
		xcalloc(r->n_drafts + r->config->n_authorizers + 1, sizeof *names);
	const char *meant;
	size_t n = 0;

	for (size_t i = 0; i < r->n_drafts; i++)
		names[n++] = r->drafts[i].value.key.name;
	for (size_t i = 0; i < r->config->n_authorizers; i++)
		if (!r->config->authorizers[i].of_namespace)
			names[n++] = r->config->authorizers[i].name;
	meant = nearest_name(name, names);
	reading_error(r, v->node->at, &v->key,
		      "there is no \"%s\"%s%s%s; allowed: the name of a function of this "
		      "file, or of one of gatepost.authorizers",
		      name, meant ? " (did you mean " : "", meant ? meant : "",
		      meant ? "?)" : "");
	free(names);
	return CONFIG_NONE;
}

static int add_request(struct reading *r, const struct value *v, size_t function)
{
	struct config_authorizer a = {
		.name = xstrdup(r->drafts[function].value.key.name),
		.sort = CONFIG_REQUEST,
		.function = function,
		.line = v->node->at.line,
	};

	identity_source_read(r, v, "route.request.header.Auth", &a);
	return authorizers_add(r->config, a);
}

static bool is_named(const struct config *c, int i)
{
	for (size_t k = 0; k < c->n_routes; k++)
		if (c->routes[k].authorizer == i)
			return true;
	for (size_t k = 0; k < c->n_namespaces; k++)
		if (c->namespaces[k].token_authorizer == i)
			return true;
	return false;
}

void authorizers_trim(struct reading *r)
{
	struct config *c = r->config;
	size_t kept = 0;

	for (size_t i = 0; i < c->n_authorizers; i++) {
		struct config_authorizer a = c->authorizers[i];

		if (!is_named(c, (int)i)) {
			if (a.sort == CONFIG_JWT)
				reading_info(r, (struct place){c->file, a.line, 1}, NULL,
					     "gatepost.authorizers.%s: no route and no "
					     "namespace names it",
					     a.name);
			authorizers_close(&a);
			continue;
		}
		for (size_t k = 0; k < c->n_routes; k++)
			if (c->routes[k].authorizer == (int)i)
				c->routes[k].authorizer = (int)kept;
		for (size_t k = 0; k < c->n_namespaces; k++)
			if (c->namespaces[k].token_authorizer == (int)i)
				c->namespaces[k].token_authorizer = (int)kept;
		c->authorizers[kept++] = a;
	}
	c->n_authorizers = kept;
}
