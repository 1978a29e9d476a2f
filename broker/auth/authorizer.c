/*
 * authorizer_ask → (identity) → ask_function → on_result, or ask_token
 */
#include "broker/auth/authorizer.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "broker/payload/event.h"
#include "broker/auth/identity.h"
#include "broker/runtime/error.h"
#include "broker/auth/token.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/queue.h>

struct authorizer {
	struct loop *loop;
	const struct config_authorizer *config;
	const struct function *function; /* REQUEST */
	LIST_HEAD(, question) questions; /* REQUEST: which the function has */
	struct token_key *key;           /* JWT */
};

/* The caller, until it gets the permission. */
struct question {
	LIST_ENTRY(question) next;
	struct authorizer *authorizer;
	const struct invocation *in;
	int64_t since_ms;
	authorizer_fn *fn;
	void *arg;
};

static void ask_function(struct authorizer *a, const struct invocation *in,
			 authorizer_fn *fn, void *arg);
static void on_result(void *arg, const struct result *r);
static void ask_token(const struct authorizer *a, struct span token,
		      bool from_subprotocol, authorizer_fn *fn, void *arg);
static void refuse(const struct authorizer *a, int status, const char *why,
		   authorizer_fn *fn, void *arg);

struct authorizer *authorizer_open(struct loop *l, const struct config_authorizer *config,
				   const struct function *f)
{
	struct authorizer *a = xcalloc(1, sizeof *a);

	a->loop = l;
	LIST_INIT(&a->questions);
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
	for (struct question *q; (q = LIST_FIRST(&a->questions)) != NULL;) {
		LIST_REMOVE(q, next);
		free(q);
	}
	token_key_free(a->key);
	free(a);
}

/* A function needs all of its sources in the request; a token is in one of them. */
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

void authorizer_ask(struct authorizer *a, const struct invocation *in, authorizer_fn *fn,
		    void *arg)
{
	Gatepost__Request *q =
		gatepost__request__unpack(NULL, in->request.n, in->request.p);
	const char *source = "";
	char *identity = q != NULL ? find_identity(a, q, &source) : NULL;
	bool bearer = strcmp(source, "route.request.subprotocol") == 0;

	if (q != NULL)
		gatepost__request__free_unpacked(q, NULL);
	if (identity == NULL)
		refuse(a, 401, "no identity in the request", fn, arg);
	else if (a->config->sort == CONFIG_REQUEST)
		ask_function(a, in, fn, arg);
	else
		ask_token(a, span_str(identity), bearer, fn, arg);
	free(identity);
}

static void refuse(const struct authorizer *a, int status, const char *why,
		   authorizer_fn *fn, void *arg)
{
	struct permission p = {
		.status = status,
		.message = status == 401   ? "Unauthorized"
			   : status == 403 ? "Forbidden"
					   : "Internal server error",
	};

	log_info_flood("authorizer.refused", S("authorizer", a->config->name),
		       I("status", status), S("why", why));
	fn(arg, &p);
}

/* ---- a function ---- */

static void ask_function(struct authorizer *a, const struct invocation *in,
			 authorizer_fn *fn, void *arg)
{
	struct question *q = xmalloc(sizeof *q);

	*q = (struct question){
		.authorizer = a,
		.in = in,
		.since_ms = loop_now(a->loop),
		.fn = fn,
		.arg = arg,
	};
	LIST_INSERT_HEAD(&a->questions, q, next);
	function_invoke(a->function, in, EVENT_AUTHORIZER, on_result, q);
}

/*
 * AWS's rule: a function that fails with just this word means 401. One over HTTP, which
 * cannot throw, returns 401 or 403 as its status.
 * 0: neither.
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

static void on_result(void *arg, const struct result *r)
{
	struct question *ended = arg, q = *ended;
	const struct authorizer *a = q.authorizer;
	struct event_grant g = {0};
	struct permission p = {.status = 200};
	int status = refusal_of(r);
	char *arn;
	enum err e;

	LIST_REMOVE(ended, next);
	free(ended);
	if (status != 0 || r->kind != RESULT_OK) {
		refuse(a, status ? status : 500,
		       r->why ? r->why : "refused by the authorizer", q.fn, q.arg);
		return;
	}
	arn = event_arn(q.in->setting);
	e = event_grant_parse(r->payload, arn, loop_now(a->loop) - q.since_ms, &g);
	free(arn);
	p.context = g.context;
	if (e != OK)
		refuse(a, 500, g.why, q.fn, q.arg);
	else if (!g.allow)
		refuse(a, 403, "policy does not allow the connection", q.fn, q.arg);
	else
		q.fn(q.arg, &p);
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

static void ask_token(const struct authorizer *a, struct span token,
		      bool from_subprotocol, authorizer_fn *fn, void *arg)
{
	struct token_claims claims = {0};
	const char *why;
	struct permission p = {.status = 200, .bearer = from_subprotocol};
	char *context;

	if (token_check(a->key, token, clock_wall_ms(), &claims, &why) != OK) {
		refuse(a, 401, why, fn, arg);
		return;
	}
	context = context_of(&claims);
	p.context = context;
	p.expires_ms = claims.expires_ms;
	fn(arg, &p);
	free(context);
	free(claims.json);
	free(claims.subject);
}

enum err authorizer_check_token(const struct authorizer *a, struct span token,
				int64_t now_ms, struct token_claims *out,
				const char **why)
{
	assert(a->key != NULL);
	return token_check(a->key, token, now_ms, out, why);
}
