/*
 * Read a file: what variables ask for first (the .env files, the stage), then what
 * functions have in common, then the functions.
 */
#include "config/config.h"

#include "config/dotenv.h"
#include "config/environment.h"
#include "config/functions.h"
#include "config/nearest.h"
#include "config/ours.h"
#include "config/ports.h"
#include "config/provider.h"
#include "config/resources.h"
#include "config/statements.h"
#include "config/tables.h"
#include "config/yaml.h"

#include "base/mem.h"
#include "base/span.h"

#include <stdlib.h>
#include <string.h>

static void read_root(struct reading *r, const struct value *root);
static void read_stage(struct reading *r, const struct value *root);
static void read_service(struct reading *r, const struct value *root);
static void pass_over(struct reading *r, const struct node *root);
static void close_reading(struct reading *r);

/* The folder that path is in, freed with free(3). */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return xstrdup(".");
	return slash == path ? xstrdup("/")
			     : span_dup(span_of(path, (size_t)(slash - path)));
}

struct config *config_read(const char *path, const struct config_options *o)
{
	struct config *c = xcalloc(1, sizeof *c);
	struct reading r = {
		.options = o,
		.config = c,
		.tree = tree_new(),
		.folder = folder_of(path),
		.provider = {.timeout_s = CONFIG_TIMEOUT_MS / 1000,
			     .memory_mb = CONFIG_MEMORY_MB},
		.limits = {.workers = CONFIG_WORKERS, .timeout_s = CONFIG_WAIT_MS / 1000},
	};
	struct value root = {0};

	c->file = xstrdup(path);
	c->has_tables = true;
	c->region = xstrdup(CONFIG_REGION);
	c->selection = xstrdup(CONFIG_SELECTION);
	r.root = root.node = yaml_read(&r, path);
	if (root.node && root.node->kind != NODE_MAP)
		reading_error(&r, root.node->at, NULL,
			      "this is %s; allowed: a mapping with functions",
			      node_kind_name(root.node));
	else if (root.node)
		read_root(&r, &root);
	close_reading(&r);
	if (r.errors == 0)
		return c;
	config_free(c);
	return NULL;
}

static void close_reading(struct reading *r)
{
	tree_free(r->tree);
	dotenv_free(r->dotenv);
	environment_free(r->provider.environment, r->provider.n_environment);
	free(r->provider.runtime);
	free(r->drafts);
	resources_close(r);
	statements_free(r->statements, r->n_statements);
	free(r->instance);
	free(r->folder);
}

static void read_root(struct reading *r, const struct value *root)
{
	read_stage(r, root);
	read_service(r, root);
	ours_read(r, root);
	resources_read(r, root);
	provider_read(r, root);
	pass_over(r, root->node);
	functions_read(r, root);
	tables_read(r);
	ports_read(r);
}

static void read_env_file(struct reading *r, const char *name)
{
	char *path = reading_file(r, name);

	dotenv_read(r, path);
	free(path);
}

/* The stage may be in .env, and names .env.STAGE, which comes before .env. */
static void read_stage(struct reading *r, const struct value *root)
{
	struct dotenv *common;
	struct value v;
	bool use = false;

	if (value_get(r, root, "useDotenv", &v))
		value_bool(r, &v, &use);
	if (use)
		read_env_file(r, ".env");
	provider_read_stage(r, root);
	if (!use)
		return;
	common = r->dotenv;
	r->dotenv = NULL;
	char *name = xasprintf(".env.%s", r->stage);
	read_env_file(r, name);
	free(name);
	r->dotenv = dotenv_join(r->dotenv, common);
}

/* The folder's name. */
static char *usual_service(const struct reading *r)
{
	char *folder = realpath(r->folder, NULL);
	char *name = folder ? xstrdup(strrchr(folder, '/') + 1) : xstrdup("");

	free(folder);
	if (*name)
		return name;
	free(name);
	return xstrdup("gatepost");
}

/* service: chat, or service: { name: chat } */
static void read_service(struct reading *r, const struct value *root)
{
	struct config *c = r->config;
	struct value v, name;

	c->service = usual_service(r);
	if (!value_get(r, root, "service", &v))
		return;
	if (v.node->kind == NODE_TEXT)
		value_text(r, &v, &c->service);
	else if (value_is(r, &v, NODE_MAP, "a text, or a mapping with name") &&
		 value_get(r, &v, "name", &name))
		value_text(r, &name, &c->service);
	else if (v.node->kind == NODE_MAP && v.node->tag == NULL)
		reading_error(r, v.node->at, &v.key,
			      "name is missing; allowed: service: NAME");
}

/* Serverless' keys that do not concern us. */
static const char *const foreign[] = {
	"app",
	"build",
	"configSchema",
	"configValidationMode",
	"console",
	"custom",
	"dashboard",
	"deprecationNotificationMode",
	"disabledDeprecations",
	"frameworkVersion",
	"layers",
	"licenseKey",
	"org",
	"outputs",
	"package",
	"plugins",
	"resources",
	"stages",
	"state",
	"tenant",
	"unresolvedVariablesNotificationMode",
	"variablesResolutionMode",
	NULL,
};

static bool is_among(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

static void pass_over(struct reading *r, const struct node *root)
{
	static const char *const ours[] = {
		"service", "provider",  "functions", "gatepost",
		"params",  "useDotenv", NULL,
	};

	for (size_t i = 0; i < root->n; i += 2) {
		const struct node *key = root->items[i];
		bool is_foreign = is_among(key->text, foreign);
		const char *meant = is_foreign ? NULL : nearest_name(key->text, ours);

		if (is_among(key->text, ours))
			continue;
		if (meant)
			reading_error(r, key->at, NULL,
				      "there is no key \"%s\"; did you mean %s?",
				      key->text, meant);
		else if (strcmp(key->text, "custom") == 0)
			reading_info(r, key->at, NULL,
				     "custom: ignored, except for variables and "
				     "custom.gatepost");
		else if (strcmp(key->text, "resources") == 0 && r->n_resources > 0)
			reading_info(r, key->at, NULL,
				     "resources: ignored, except for tables");
		else
			reading_info(r, key->at, NULL, "%s: ignored%s", key->text,
				     is_foreign ? "" : " (it is not known)");
	}
}
