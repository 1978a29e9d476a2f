#include "config/function_keys.h"

#include "config/environment.h"
#include "config/nearest.h"
#include "config/statements.h"

#include "base/mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define RUNTIMES "python3.11, python3.12, …, nodejs18.x, nodejs20.x, …"
#define USUAL_RUNTIME                                                                    \
	"nodejs20.x" /* Serverless takes its newest Node when none is given */
#define HANDLER_CHARS                                                                    \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./$@"

static void read_handler(struct reading *r, const struct value *v,
			 struct config_function *out);
static void check_builtin(struct reading *r, const struct value *handler);
static void check_url(struct reading *r, const struct value *handler);
static void check_lambda(struct reading *r, const struct value *handler);
static void read_runtime(struct reading *r, const struct value *v,
			 struct config_function *out);
static void read_timeout(struct reading *r, const struct value *v,
			 struct config_function *out);

void function_keys_read(struct reading *r, const struct value *v,
			struct config_function *out)
{
	static const char *const names[] = {
		"handler",     "runtime", "timeout",           "memorySize",
		"environment", "events",  "iamRoleStatements", "iamRoleStatementsInherit",
		NULL,
	};
	struct value memory;

	*out = (struct config_function){
		.name = xstrdup(v->key.name),
		.memory_mb = r->provider.memory_mb,
		.environment = environment_copy(r->provider.environment,
						r->provider.n_environment),
		.n_environment = r->provider.n_environment,
		.line = v->node->at.line,
	};
	read_handler(r, v, out);
	if (out->sort == CONFIG_LAMBDA) {
		out->workers = r->limits.workers;
		read_runtime(r, v, out);
	}
	read_timeout(r, v, out);
	if (value_get(r, v, "memorySize", &memory))
		value_int(r, &memory, 128, 10240, "MB", &out->memory_mb);
	environment_read(r, v, &out->environment, &out->n_environment);
	statements_read_function(r, v, out);
	value_pass_over(r, v, names);
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static void read_handler(struct reading *r, const struct value *v,
			 struct config_function *out)
{
	struct value handler;

	if (!value_get(r, v, "handler", &handler)) {
		reading_error(r, v->node->at, &v->key,
			      "handler is missing%s; allowed: module.function, http://…, "
			      "https://…, builtin:…",
			      node_get(v->node, "image")
				      ? " (run the image yourself, and give its URL)"
				      : "");
		return;
	}
	if (!value_text(r, &handler, &out->handler))
		return;
	if (begins(out->handler, "builtin:")) {
		out->sort = CONFIG_BUILTIN;
		check_builtin(r, &handler);
	} else if (strstr(out->handler, "://")) {
		out->sort = CONFIG_HTTP;
		check_url(r, &handler);
	} else {
		out->sort = CONFIG_LAMBDA;
		check_lambda(r, &handler);
	}
}

static void check_builtin(struct reading *r, const struct value *handler)
{
	static const char *const known[] = {
		"connect", "disconnect", "reject", "echo", "ping", "channels", NULL,
	};
	const char *name = handler->node->text + strlen("builtin:");
	const char *meant;

	for (size_t i = 0; known[i]; i++)
		if (strcmp(known[i], name) == 0)
			return;
	meant = nearest_name(name, known);
	reading_error(r, handler->node->at, &handler->key,
		      "there is no builtin:%s%s%s%s; allowed: builtin:connect, "
		      "builtin:disconnect, builtin:reject, builtin:echo, builtin:ping, "
		      "builtin:channels",
		      name, meant ? " (did you mean " : "", meant ? meant : "",
		      meant ? "?)" : "");
}

static void check_url(struct reading *r, const struct value *handler)
{
	const char *url = handler->node->text, *host = strstr(url, "://") + 3;
	bool known = begins(url, "http://") || begins(url, "https://");

	if (!known || strcspn(host, "/?#") == 0 || strpbrk(url, " \t\r\n"))
		reading_error(r, handler->node->at, &handler->key,
			      "\"%s\"; allowed: http://HOST… or https://HOST…", url);
}

/* module.function; the module may be in folders. */
static void check_lambda(struct reading *r, const struct value *handler)
{
	const char *text = handler->node->text, *dot = strrchr(text, '.');
	bool whole = dot && dot != text && dot[-1] != '/' && dot[1] != '\0' &&
		     strchr(dot, '/') == NULL;

	if (!whole || text[strspn(text, HANDLER_CHARS)] != '\0')
		reading_error(r, handler->node->at, &handler->key,
			      "\"%s\"; allowed: module.function, http://…, https://…, "
			      "builtin:…",
			      text);
}

static void read_runtime(struct reading *r, const struct value *v,
			 struct config_function *out)
{
	struct value runtime;
	const char *name = r->provider.runtime;
	bool own = value_get(r, v, "runtime", &runtime);

	if (own && (name = value_peek(r, &runtime)) == NULL)
		return;
	if (name == NULL) {
		name = USUAL_RUNTIME;
		reading_info(r, v->node->at, &v->key,
			     "runtime is not given: " USUAL_RUNTIME);
	}
	out->runtime = xstrdup(name);
	if (!begins(name, "python3") && !begins(name, "nodejs"))
		reading_error(r, own ? runtime.node->at : v->node->at, &v->key,
			      "the runtime \"%s\" is not run here; allowed: " RUNTIMES
			      " or a handler that is a URL",
			      name);
}

static void read_timeout(struct reading *r, const struct value *v,
			 struct config_function *out)
{
	struct value timeout;
	int64_t s = r->provider.timeout_s, most = r->limits.timeout_s;

	if (value_get(r, v, "timeout", &timeout))
		value_int(r, &timeout, 1, 900, "seconds", &s);
	if (s > most) {
		reading_info(r, v->node->at, &v->key,
			     "timeout is %" PRId64 " s, but the gateway waits %" PRId64
			     " s at most; gatepost.maxTimeout allows more",
			     s, most);
		s = most;
	}
	out->timeout_ms = s * 1000;
}
