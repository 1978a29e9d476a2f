/*
 * authorizer_ask → (identity) → ask_function → on_result, or ask_token
 */
#include "broker/auth/authorizer.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "broker/payload/event.h"
#include "broker/auth/identity.h"
#include "broker/function/route.h"
#include "broker/runtime/error.h"
#include "broker/auth/token.h"

#include <jansson.h>
#include <stdlib.h>

struct authorizer {
	struct broker *broker;
	const struct config_authorizer *config;
	const struct function *function; /* REQUEST */
	struct token_key *key;           /* JWT */
};

static void ask_function(const struct authorizer *a, struct call *c, authorizer_fn *fn);
static void on_result(struct call *c, const struct result *r);
static void ask_token(const struct authorizer *a, struct call *c, struct span token,
		      bool from_subprotocol, authorizer_fn *fn);
static void refuse(const struct authorizer *a, struct call *c, int status,
		   const char *why, authorizer_fn *fn);

struct authorizer *authorizer_open(struct broker *b,
				   const struct config_authorizer *config,
				   const struct function *f)
{
	struct authorizer *a = xcalloc(1, sizeof *a);

	a->broker = b;
	a->config = config;
	a->function = f;
	for (size_t i = 0; i < config->n_identity; i++)
		if (!identity_is_source(config->identity[i])) {
			log_error("authorizer.identity.unknown",
				  S("authorizer", config->name),
				  S("source", config->identity[i]),
				  S("allowed",
				    "route.request.header.NAME, .querystring.NAME, "
				    ".cookie.NAME, route.request.subprotocol"));
			authorizer_close(a);
			return NULL;
		}
	if (config->sort == CONFIG_JWT && (a->key = token_key_new(config)) == NULL) {
		authorizer_close(a);
		return NULL;
	}
	return a;
}

void authorizer_close(struct authorizer *a)
{
	if (a == NULL)
		return;
	token_key_free(a->key);
	free(a);
}

/* A function wants all of its sources to be there; a token is in one of them. */
static char *find_identity(const struct authorizer *a, const Gatepost__Request *q,
			   const char **source)
{
	bool all = a->config->sort == CONFIG_REQUEST;
	char *found = all && a->config->n_identity == 0 ? xstrdup("") : NULL;

	for (size_t i = 0; i < a->config->n_identity; i++) {
		char *one = identity_find(q, a->config->identity[i]);

		if (one == NULL && !all)
			continue;
		free(found);
		found = one;
		*source = a->config->identity[i];
		if (one == NULL || !all)
			break;
	}
	return found;
}

void authorizer_ask(const struct authorizer *a, struct call *c, authorizer_fn *fn)
{
	Gatepost__Request *q = call_request(c);
	const char *source = "";
	char *identity = q != NULL ? find_identity(a, q, &source) : NULL;
	bool bearer = strcmp(source, "route.request.subprotocol") == 0;

	if (q != NULL)
		gatepost__request__free_unpacked(q, NULL);
	if (identity == NULL)
		refuse(a, c, 401, "no identity in the request", fn);
	else if (a->config->sort == CONFIG_REQUEST)
		ask_function(a, c, fn);
	else
		ask_token(a, c, span_str(identity), bearer, fn);
	free(identity);
}

static void refuse(const struct authorizer *a, struct call *c, int status,
		   const char *why, authorizer_fn *fn)
{
	struct permission p = {
		.status = status,
		.message = status == 401   ? "Unauthorized"
			   : status == 403 ? "Forbidden"
					   : "Internal server error",
	};

	log_info_flood("authorizer.refused", S("authorizer", a->config->name),
		       I("status", status), S("why", why));
	fn(c, &p);
}

/* ---- a function ---- */

static void ask_function(const struct authorizer *a, struct call *c, authorizer_fn *fn)
{
	c->asked_ms = loop_now(a->broker->loop);
	c->on_permission = fn;
	function_invoke(a->function, c, EVENT_AUTHORIZER, on_result);
}

static char *arn_of(const struct call *c)
{
	const struct config *config = routes_config(c->routes);
	struct event_setting s = {
		.stage = config->stage,
		.api_id = c->broker->conf.api_id,
		.account = c->broker->conf.account_id,
		.region = config->region,
		.route_key = "$connect",
	};

	return event_arn(&s);
}

/*
 * AWS's rule: a function that fails with just this word means 401. One over HTTP, which
 * cannot throw, says the same with its status; and 403 without a policy is plain, too.
 * 0: it says neither.
 */
static int refusal_of(const struct result *r)
{
	bool said = r->kind == RESULT_FAILED &&
		    ((r->why != NULL && strcmp(r->why, "Unauthorized") == 0) ||
		     runtime_error_is(r->payload, "Unauthorized"));

	if (said || (r->kind == RESULT_OK && r->status == 401))
		return 401;
	return r->kind == RESULT_OK && r->status == 403 ? 403 : 0;
}

static void on_result(struct call *c, const struct result *r)
{
	const struct authorizer *a = c->route->authorizer;
	int64_t took = loop_now(c->broker->loop) - c->asked_ms;
	struct event_grant g = {0};
	struct permission p = {.status = 200};
	int status = refusal_of(r);
	char *arn;
	enum err e;

	if (status != 0 || r->kind != RESULT_OK) {
		refuse(a, c, status ? status : 500,
		       r->why ? r->why : "refused by the authorizer", c->on_permission);
		return;
	}
	arn = arn_of(c);
	e = event_grant_parse(r->payload, arn, took, &g);
	free(arn);
	p.context = g.context;
	if (e != OK)
		refuse(a, c, 500, g.why, c->on_permission);
	else if (!g.allow)
		refuse(a, c, 403, "policy does not allow the connection",
		       c->on_permission);
	else
		c->on_permission(c, &p);
	free(g.context);
}

/* ---- a token ---- */

static char *context_of(const struct token_claims *claims)
{
	json_t *o = json_object(), *all = json_loads(claims->json, 0, NULL);
	char *text;

	json_object_set_new(o, "principalId", json_string(claims->subject));
	json_object_set_new(o, "claims", all ? all : json_object());
	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return text;
}

static void ask_token(const struct authorizer *a, struct call *c, struct span token,
		      bool from_subprotocol, authorizer_fn *fn)
{
	struct token_claims claims = {0};
	const char *why;
	struct permission p = {.status = 200};
	char *context;

	if (token_check(a->key, token, clock_wall_ms(), &claims, &why) != OK) {
		refuse(a, c, 401, why, fn);
		return;
	}
	context = context_of(&claims);
	c->bearer = from_subprotocol;
	p.context = context;
	p.expires_ms = claims.expires_ms;
	fn(c, &p);
	free(context);
	free(claims.json);
	free(claims.subject);
}
