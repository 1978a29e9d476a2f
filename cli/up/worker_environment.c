#include "cli/up/worker_environment.h"

#include "base/mem.h"
#include "cli/up/home_credentials.h"
#include "cli/up/keys.h"
#include "cli/up/preload.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void set(struct words *w, const char *name, const char *value)
{
	words_take(w, xasprintf("%s=%s", name, value));
}

static void set_unless_there(struct words *w, const char *name, const char *value)
{
	if (getenv(name) == NULL)
		set(w, name, value);
}

static void set_lambda(struct words *w, const struct runtime_plan *p)
{
	const struct config *c = p->config;
	char *name = xasprintf("%s-%s-%s", c->service ? c->service : "gatepost", c->stage,
			       p->function->name);
	char *group = xasprintf("/aws/lambda/%s", name);
	char *environment = xasprintf("AWS_Lambda_%s", p->function->runtime);
	char *memory = xasprintf("%" PRId64, p->function->memory_mb);

	set(w, "AWS_LAMBDA_RUNTIME_API", p->address);
	set(w, "AWS_LAMBDA_FUNCTION_NAME", name);
	set(w, "AWS_LAMBDA_FUNCTION_VERSION", "$LATEST");
	set(w, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory);
	set(w, "AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand");
	set(w, "AWS_LAMBDA_LOG_GROUP_NAME", group);
	set(w, "AWS_LAMBDA_LOG_STREAM_NAME", p->worker);
	set(w, "AWS_EXECUTION_ENV", environment);
	set(w, "LAMBDA_TASK_ROOT", p->folder);
	set(w, "_HANDLER", p->function->handler);
	free(name);
	free(group);
	free(environment);
	free(memory);
}

/* A key of its own, when none of the developer's would be hidden by it. */
static bool set_key(struct words *w, const struct runtime_plan *p)
{
	if (p->key == NULL || home_credentials_exist())
		return false;
	set(w, "AWS_ACCESS_KEY_ID", p->key->id);
	set(w, "AWS_SECRET_ACCESS_KEY", p->key->secret);
	return true;
}

/* Can it be a part of a path as it is? Serverless allows no other names. */
static bool is_plain(const char *name)
{
	return name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				 "0123456789_-")] == '\0';
}

/* AWS_ENDPOINT_URL is for all services: who has set it has the tables there, too. */
static void set_tables(struct words *w, const struct runtime_plan *p, bool has_key)
{
	char *named;

	if (!p->config->has_tables || getenv("AWS_ENDPOINT_URL"))
		return;
	named = xasprintf("%s/functions/%s", p->management, p->function->name);
	set_unless_there(w, "AWS_ENDPOINT_URL_DYNAMODB",
			 has_key || !is_plain(p->function->name) ? p->management : named);
	free(named);
}

static void set_aws(struct words *w, const struct runtime_plan *p)
{
	bool has_key = set_key(w, p);

	set_unless_there(w, "AWS_REGION", p->config->region);
	set_unless_there(w, "AWS_DEFAULT_REGION", p->config->region);
	set_unless_there(w, "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI", p->management);
	set_unless_there(w, "TZ", ":UTC");
	set_tables(w, p, has_key);
}

/* The function's own, else ours. */
static const char *options_of_node(const struct config_function *f)
{
	const char *ours = getenv("NODE_OPTIONS");

	for (size_t i = 0; i < f->n_environment; i++)
		if (strcmp(f->environment[i].name, "NODE_OPTIONS") == 0)
			return f->environment[i].value;
	return ours ? ours : "";
}

/* AWS SDK 2 for JavaScript does not know the variables of endpoints; the preload does. */
static void set_preload(struct words *w, const struct config_function *f)
{
	const char *options = options_of_node(f);
	char *path;

	if (strncmp(f->runtime, "nodejs", 6) != 0 || (path = preload_path()) == NULL)
		return;
	words_take(w, xasprintf("NODE_OPTIONS=%s%s--require \"%s\"", options,
				*options ? " " : "", path));
	free(path);
}

char **worker_environment(const struct runtime_plan *p)
{
	const struct config_function *f = p->function;
	struct words w = {0};

	set_lambda(&w, p);
	set_aws(&w, p);
	set(&w, "GATEPOST_MANAGEMENT", p->management);
	for (size_t i = 0; i < f->n_environment; i++)
		set(&w, f->environment[i].name, f->environment[i].value);
	set_preload(&w, f);
	return w.list;
}
