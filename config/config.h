#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

/*
 * A project's configuration: which function serves which route. gatepost.yml has the
 * grammar of the part of serverless.yml that concerns us, and a serverless.yml is read
 * as it is.
 *
 *   service: chat
 *   provider:
 *     stage: dev
 *     websocketsApiRouteSelectionExpression: $request.body.action
 *   functions:
 *     rooms:
 *       handler: handler.rooms                  # a Lambda runtime client polls for it
 *       events:
 *         - websocket: $connect
 *         - websocket: { route: say, routeResponseSelectionExpression: $default }
 *     ping:
 *       handler: http://127.0.0.1:9000/ping     # POST of the event
 *       events: [ { http: { path: ping, method: get } } ]
 *   gatepost:                                   # ours alone (also as custom.gatepost)
 *     binary: true
 *     channels: { room: { history: { size: 1000 } } }
 *
 * source  Serverless Framework: guides "serverless.yml", "Variables", event "WebSocket"
 */

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The defaults. */
#define CONFIG_REGION    "us-east-1"
#define CONFIG_SELECTION "$request.body.action"
#define CONFIG_ACCOUNT   "123456789012"
enum {
	CONFIG_TIMEOUT_MS = 6000,
	CONFIG_WAIT_MS = 29000, /* the longest that API Gateway waits for a function */
	CONFIG_MEMORY_MB = 1024,
	CONFIG_WORKERS = 2,
};

struct config_pair {
	char *name, *value;
};

enum config_sort { CONFIG_LAMBDA, CONFIG_HTTP, CONFIG_BUILTIN };

struct config_function {
	char *name;    /* its key under functions: */
	char *handler; /* "handler.rooms", "https://…", "builtin:echo" */
	enum config_sort sort;
	char *runtime;      /* LAMBDA: "python3.11", "nodejs20.x"; NULL otherwise */
	int64_t timeout_ms; /* of an invocation; default 6 s as Serverless has it, at most 29 s where API Gateway waits, gatepost.maxTimeout otherwise */
	int64_t memory_mb;  /* passed to the function */
	int64_t port;       /* LAMBDA: where workers poll; 0: not set */
	int64_t workers;    /* LAMBDA: processes that `gatepost up` starts; default 2 */
	struct config_pair *environment; /* the provider's, then its own over it */
	size_t n_environment;
	struct config_statement *
		statements; /* on tables (config/policy.h): its own, else the provider's */
	size_t n_statements;
	int line;
};

/* A table of resources:, to be there when functions start. */
struct config_table {
	char *name;
	char *definition; /* JSON: the members of DynamoDB's CreateTable that count here, and TimeToLiveSpecification */
	int line;
};

enum config_authorizer_sort { CONFIG_REQUEST, CONFIG_JWT };

struct config_authorizer {
	char *name;
	enum config_authorizer_sort sort;
	size_t function; /* REQUEST: index of the function */
	char **identity; /* "route.request.header.Auth", "route.request.querystring.token", "route.request.cookie.sid" (ours), "route.request.subprotocol" (ours) */
	size_t n_identity;
	/* JWT alone */
	char *algorithm; /* "HS256", "RS256", "ES256" */
	char *key;       /* the secret, or the public key in PEM; NULL: in key_file */
	char *key_file;  /* path of the same; one of the two is there */
	char *issuer;    /* NULL: any */
	char *audience;  /* NULL: any */
	bool endless;    /* a token without exp is taken, for ever */
	bool of_namespace; /* the `token` of a namespace of channels: no route can name it */
	int line;
};

enum { CONFIG_NONE = -1 };

struct config_route {
	char *key;       /* "$connect", "$disconnect", "$default", "say" */
	size_t function; /* index */
	bool two_way;    /* what the function returns goes to the client */
	bool parallel; /* does not wait for the connection's other messages (concurrency: parallel) */
	int authorizer; /* index, or CONFIG_NONE; on $connect alone */
	int line;
};

struct config_http {
	char *method; /* "GET"; "*": any */
	char *path;   /* "/ping", "/users/{id}", "/files/{rest+}" */
	size_t function;
	bool is_v2; /* the event is an httpApi one (payload 2.0); else a REST one (1.0) */
	bool is_outside; /* path is a whole one, outside of the stage: the first page of the built-in configuration */
	int line;
};

struct config {
	char *file; /* as given; NULL: the built-in one */
	char *service;
	char *stage;
	char *region;    /* "us-east-1" unless provider.region says another */
	char *selection; /* "$request.body.action" */
	struct config_function *functions;
	size_t n_functions;
	struct config_route *routes;
	size_t n_routes;
	struct config_http *http;
	size_t n_http;
	struct config_authorizer *authorizers;
	size_t n_authorizers;
	struct config_namespace *namespaces; /* of channels (config/channels.h) */
	size_t n_namespaces;
	struct config_table *tables;
	size_t n_tables;
	bool has_statements; /* on tables: functions may do what theirs allow; without any, everything */
	bool has_tables; /* gatepost.tables: the AWS SDKs of functions find the tables here, not those of AWS */
	bool lenient_json; /* gatepost.json: lenient */
	bool context; /* gatepost.context: headers and query of the upgrade in every event */
	bool binary; /* gatepost.binary: binary messages reach functions, in base64 */
};

/* One line for the operator: something ignored (info) or a mistake (error). column from 1; line 0: the whole file. */
typedef void config_say_fn(void *arg, bool is_error, const char *file, int line,
			   int column, const char *text);

struct config_options {
	const char *stage;             /* --stage; NULL: the file's, else "dev" */
	const char *account;           /* of ARNs; NULL: CONFIG_ACCOUNT */
	const struct config_pair *opt; /* ${opt:NAME} */
	size_t n_opt;
	config_say_fn *say; /* NULL: reports are dropped */
	void *arg;
};

/*
 * Read a file.
 *
 * returns  NULL after at least one error was reported; ignored keys are reported too
 */
struct config *config_read(const char *path, const struct config_options *o);

/*
 * What there is without a file: the tutorial's behaviour, by builtin functions.
 *
 * default_handler  "builtin:reject" or "builtin:echo"
 */
struct config *config_builtin(const char *stage, const char *selection,
			      const char *default_handler);
void config_free(struct config *c); /* NULL is fine */

/* The file that `gatepost up` takes from a folder: gatepost.yml, else serverless.yml, else NULL; freed by the caller. */
char *config_find(const char *folder);

#endif
