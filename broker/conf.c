#include "broker/conf.h"

#include "base/mem.h"
#include "json/read.h"

#include <stdlib.h>
#include <string.h>

#define TEXT(f, name, dflt, help) CONF_TEXT(struct broker_conf, f, name, dflt, help)
#define INT(f, name, dflt, least, most, help)                                            \
	CONF_INT(struct broker_conf, f, name, dflt, least, most, help)
#define BYTES(f, name, dflt, least, most, help)                                          \
	CONF_BYTES(struct broker_conf, f, name, dflt, least, most, help)
#define MSEC(f, name, dflt, least, most, help)                                           \
	CONF_MSEC(struct broker_conf, f, name, dflt, least, most, help)
#define CHOICE(f, name, dflt, choices, help)                                             \
	CONF_CHOICE(struct broker_conf, f, name, dflt, choices, help)

enum { KI = 1024, MI = 1024 * 1024, SECOND = 1000, MINUTE = 60 * SECOND };

static const struct conf_key keys[] = {
	TEXT(name, "name", "broker-0",
	     "name of this process in logs; unique in the cluster"),
	TEXT(bind, "bind", "tcp://0.0.0.0:7400",
	     "endpoint for edges: tcp://address:port, ipc:///path"),
	TEXT(advertise, "advertise", NULL,
	     "endpoint that is announced to edges (default: the bound one)"),
	STORE_CONF_KEYS(struct broker_conf, store),
	TEXT(management, "management", "127.0.0.1:8081",
	     "addresses of the management API, with commas; without --management-auth "
	     "only loopback"),
	TEXT(management_hosts, "management-hosts", NULL,
	     "without --management-auth: names, with commas, that are allowed as Host "
	     "besides localhost and loopback addresses"),
	CHOICE(management_auth, "management-auth", "none", "none|keys|bearer|both",
	       "authentication: none, signatures with a key pair (as AWS SDKs do), "
	       "bearer tokens, or both"),
	TEXT(credentials, "credentials", NULL,
	     "file with key pairs and tokens, in the format of ~/.aws/credentials"),
	TEXT(function_keys, "function-keys", NULL,
	     "file with the keys of functions' workers, in the same format; gatepost up "
	     "writes one"),
	TEXT(region, "region", NULL, "region that signatures must have (default: any)"),
	TEXT(metrics, "metrics", "127.0.0.1:9102",
	     "address of /livez, /readyz and /metrics"),
	CHOICE(log_level, "log-level", "info", "debug|info|warn|error",
	       "minimum log level"),
	CHOICE(log_format, "log-format", "text", "text|json", "format of the log lines"),

	TEXT(config, "config", NULL,
	     "gatepost.yml or serverless.yml (default: the built-in configuration)"),
	TEXT(stage, "stage", NULL,
	     "first part of the path of every URL (default: the configuration's, else "
	     "dev)"),
	TEXT(selection, "route-selection-expression", NULL,
	     "without --config: expression that gives the route of a message (default: "
	     "$request.body.action)"),
	TEXT(api_id, "api-id", "gatepost00", "apiId in events"),
	TEXT(account_id, "account-id", "123456789012", "account id of ARNs in events"),
	CHOICE(default_route, "default-route", "builtin:reject",
	       "builtin:reject|builtin:echo",
	       "without --config: handler of messages without a route"),

	INT(json_depth, "json-depth", "512", JSON_DEPTH_LEAST, JSON_DEPTH_MOST,
	    "maximum levels of objects and arrays in messages and results; over it a "
	    "message goes to $default, and a result is an error"),

	TEXT(http_ca, "http-ca", NULL,
	     "PEM file of the authorities for functions' https certificates (default: "
	     "the system's)"),
	MSEC(http_connect_ms, "http-connect-timeout", "2s", 10, MINUTE,
	     "time to connect to a function over HTTP"),
	BYTES(http_response, "http-max-response", "6MiB", KI, 64 * MI,
	      "maximum size of a response of a function over HTTP"),
	BYTES(http_memory, "http-memory", "256MiB", MI, 1024LL * 1024 * MI,
	      "maximum bytes of functions' HTTP responses that are being received (by "
	      "default at most an eighth of the cgroup's memory); over it: a response "
	      "over 64 KiB fails with 503"),
	INT(http_connections, "http-connections", "256", 1, 10000,
	    "maximum connections to one host of functions"),
	INT(http_in_flight, "http-in-flight", "4096", 1, 1000000,
	    "maximum invocations of one function over HTTP at a time; over it: Too Many "
	    "Requests"),

	TEXT(runtime_address, "runtime-address", "127.0.0.1",
	     "address where workers poll: HOST, each function on its port of "
	     "gatepost.ports or a free one; HOST:PORT, the first other function there "
	     "and "
	     "the next ones on the following ports; HOST:0, all on free ports"),
	INT(runtime_queue, "runtime-queue", "1000", 0, 1000000,
	    "maximum invocations of one function that wait for a worker"),
	MSEC(runtime_wait_ms, "runtime-wait", "10s", 10, 10 * MINUTE,
	     "maximum wait of an invocation for a worker"),

	MSEC(heartbeat_ms, "heartbeat", "1s", 50, MINUTE,
	     "interval in which each edge gets at least one message"),
	MSEC(silence_ms, "silence", "5s", 100, 10 * MINUTE,
	     "an edge is considered down after this long, or --edge-lease, without a "
	     "message"),
	MSEC(lease_ms, "edge-lease", "10s", 500, 10 * MINUTE,
	     "an edge is declared dead after this long without renewal"),
	MSEC(audit_ms, "audit-every", "1m", 100, 24 * 60 * MINUTE,
	     "how often the rows of an edge are reconciled with its connections"),
	INT(disconnect_tries, "disconnect-tries", "10", 1, 1000,
	    "attempts of a $disconnect function, with pauses of 1s, 2s, 4s … 5m, before "
	    "its event becomes a dead letter"),
	INT(parked_most, "disconnects-parked", "100000", 0, 100000000,
	    "maximum number of dead letters; over it they are dropped"),
	MSEC(member_ms, "member-lease", "5s", 500, 10 * MINUTE,
	     "a broker is removed from the members after this long without renewal"),
	INT(credit_events, "credit-events", "8192", 16, 1000000,
	    "maximum unanswered events of each edge"),
	BYTES(credit_bytes, "credit-bytes", "64MiB", 64 * KI, 1024 * MI,
	      "the same in bytes (by default at most a sixteenth of the cgroup's "
	      "memory)"),
	MSEC(command_ms, "command-timeout", "5s", 50, MINUTE,
	     "time for an edge to report the result of a push"),
	BYTES(max_post, "max-post", "128KiB", 1, 16 * MI,
	      "maximum size of a push through the management API; over it: 413"),
	INT(max_bulk, "max-bulk", "10000", 1, 1000000,
	    "maximum connections of one POST /@connections; over it: 413"),
	INT(management_connections, "management-connections", "1024", 1, 65536,
	    "maximum connections to the management API (at most half of the "
	    "descriptors); over it the longest idle one is closed, or the new one gets "
	    "503"),
	INT(management_requests, "management-requests", "1000", 1, 1000000,
	    "maximum requests of it that wait for an edge or Redis; over it: 503"),
	BYTES(management_memory, "management-memory", "256MiB", MI, 1024LL * 1024 * MI,
	      "maximum bytes of its requests, and of responses that are not read yet (by "
	      "default at most an eighth of the cgroup's memory); over it: requests over "
	      "64 KiB, and those about many connections, get 503"),
	MSEC(management_ms, "management-timeout", "60s", 100, 60 * MINUTE,
	     "time for a request to arrive completely (then: 408), and for an idle "
	     "connection"),
	MSEC(drain_ms, "drain-timeout", "8s", 0, 60 * MINUTE,
	     "time after SIGTERM to finish events in progress"),
	MSEC(grace_ms, "grace", "0", 0, 24 * 60 * MINUTE,
	     "time from SIGTERM to SIGKILL, as the supervisor has it: a drain that can "
	     "take longer is a warning at the start; 0: not known"),
};

static bool is_right(const void *conf, struct conf_wrong *w);

static const struct conf_table table = {
	.program = "gatepost-broker",
	.purpose = "Handles events from edges and runs the functions of their routes.",
	.keys = keys,
	.n = sizeof keys / sizeof *keys,
	.check = is_right,
};

/* Defaults of bytes that are too much for a small cgroup. */
static const struct {
	const char *name;
	int64_t part, most;
} budgets[] = {
	{"http-memory", 8, 256LL * MI},
	{"management-memory", 8, 256LL * MI},
	{"credit-bytes", 16, 64LL * MI},
};

enum { BUDGETS = sizeof budgets / sizeof *budgets };

enum err broker_conf_load(struct broker_conf *out, const struct cgroup *limit, int argc,
			  char **argv)
{
	struct conf_default defaults[BUDGETS];
	char *texts[BUDGETS];
	enum err e;

	for (size_t i = 0; i < BUDGETS; i++) {
		int64_t n = cgroup_share(limit, budgets[i].part, budgets[i].most);

		texts[i] = xasprintf("%lld", (long long)(n < MI ? MI : n));
		defaults[i] = (struct conf_default){budgets[i].name, texts[i]};
	}
	e = conf_load_with(&table, defaults, BUDGETS, out, argc, argv);
	for (size_t i = 0; i < BUDGETS; i++)
		free(texts[i]);
	return e;
}

static bool is_right(const void *conf, struct conf_wrong *w)
{
	const struct broker_conf *c = conf;

	if (!store_conf_is_right(&c->store, w))
		return false;
	if (c->management_auth != 0 && c->credentials == NULL)
		return conf_refuse(w, "management-auth",
				   "it needs --credentials FILE with keys and tokens");
	if (c->stage != NULL &&
	    (c->stage[0] == '\0' || strpbrk(c->stage, "/?#% ") != NULL))
		return conf_refuse(w, "stage",
				   "allowed: one part of a path, such as dev");
	return true;
}
