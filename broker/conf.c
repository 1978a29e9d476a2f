#include "broker/conf.h"

#include "json/read.h"

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
	TEXT(name, "name", "broker-0", "this process in logs; unique in the cluster"),
	TEXT(bind, "bind", "tcp://0.0.0.0:7400",
	     "where edges link to: tcp://address:port, ipc:///path"),
	TEXT(advertise, "advertise", NULL,
	     "the endpoint that edges are told (default: what was bound)"),
	STORE_CONF_KEYS(struct broker_conf, store),
	TEXT(management, "management", "127.0.0.1:8081",
	     "where the management API is, with commas; without --management-auth "
	     "loopback alone"),
	TEXT(management_hosts, "management-hosts", NULL,
	     "without --management-auth: names, with commas, that a request's Host may "
	     "have beside localhost and loopback addresses"),
	CHOICE(management_auth, "management-auth", "none", "none|keys|bearer|both",
	       "who may use it: everybody, who signs with a key pair (as AWS SDKs "
	       "do), who shows a token, or both of these"),
	TEXT(credentials, "credentials", NULL,
	     "file with key pairs and tokens, in the form of ~/.aws/credentials"),
	TEXT(region, "region", NULL, "region that signatures must be for (default: any)"),
	TEXT(metrics, "metrics", "127.0.0.1:9102",
	     "where /livez, /readyz and /metrics are"),
	CHOICE(log_level, "log-level", "info", "debug|info|warn|error",
	       "minimum log level"),
	CHOICE(log_format, "log-format", "text", "text|json", "form of the log lines"),

	TEXT(config, "config", NULL,
	     "gatepost.yml or serverless.yml (default: the tutorial's behaviour, built "
	     "in)"),
	TEXT(stage, "stage", NULL,
	     "the first part of the path of every URL (default: the configuration's, "
	     "else dev)"),
	TEXT(selection, "route-selection-expression", NULL,
	     "without --config: which route a message takes (default: "
	     "$request.body.action)"),
	TEXT(api_id, "api-id", "gatepost00", "apiId in events"),
	TEXT(account_id, "account-id", "123456789012", "account in ARNs in events"),
	CHOICE(default_route, "default-route", "builtin:reject",
	       "builtin:reject|builtin:echo",
	       "without --config: what a message gets that no other route takes"),

	INT(json_depth, "json-depth", "512", JSON_DEPTH_LEAST, JSON_DEPTH_MOST,
	    "most levels of objects and arrays in messages and results; over it a "
	    "message "
	    "goes to $default, a result has failed"),

	TEXT(http_ca, "http-ca", NULL,
	     "PEM file of the authorities that functions' https certificates are checked "
	     "against (default: the system's)"),
	MSEC(http_connect_ms, "http-connect-timeout", "2s", 10, MINUTE,
	     "time to reach a function over HTTP"),
	BYTES(http_response, "http-max-response", "6MiB", KI, 64 * MI,
	      "largest answer of a function over HTTP"),
	BYTES(http_memory, "http-memory", "256MiB", MI, 1024LL * 1024 * MI,
	      "bytes of functions' answers over HTTP that are being received at a time; "
	      "above: an answer over 64 KiB fails its invocation, by 503"),
	INT(http_connections, "http-connections", "256", 1, 10000,
	    "connections to one host of functions"),
	INT(http_in_flight, "http-in-flight", "4096", 1, 1000000,
	    "invocations of one function over HTTP at a time; over it: Too Many "
	    "Requests"),

	TEXT(runtime_address, "runtime-address", "127.0.0.1",
	     "where workers of functions poll: HOST, each function on a free port; or "
	     "HOST:PORT, the first function there and the next ones on the ports after "
	     "it"),
	INT(runtime_queue, "runtime-queue", "1000", 0, 1000000,
	    "invocations of one function that may wait for a worker"),
	MSEC(runtime_wait_ms, "runtime-wait", "10s", 10, 10 * MINUTE,
	     "how long an invocation waits for a worker"),

	MSEC(heartbeat_ms, "heartbeat", "1s", 50, MINUTE,
	     "an edge hears at least this often"),
	MSEC(silence_ms, "silence", "5s", 100, 10 * MINUTE,
	     "an edge that says nothing for so long, or for --edge-lease, is down"),
	MSEC(lease_ms, "edge-lease", "10s", 500, 10 * MINUTE,
	     "an edge whose lease nobody renews for so long has died"),
	MSEC(audit_ms, "audit-every", "1m", 100, 24 * 60 * MINUTE,
	     "how often an edge's rows are compared with what it knows"),
	INT(disconnect_tries, "disconnect-tries", "10", 1, 1000,
	    "times that a $disconnect function is asked, after pauses of 1s, 2s, 4s … "
	    "5m, "
	    "before its event is parked"),
	INT(parked_most, "disconnects-parked", "100000", 0, 100000000,
	    "disconnects that may be parked in all; over it they are dropped"),
	MSEC(member_ms, "member-lease", "5s", 500, 10 * MINUTE,
	     "the same for a broker among the brokers"),
	INT(credit_events, "credit-events", "8192", 16, 1000000,
	    "unanswered events that each edge may have here"),
	BYTES(credit_bytes, "credit-bytes", "64MiB", 64 * KI, 1024 * MI,
	      "the same in bytes"),
	MSEC(command_ms, "command-timeout", "5s", 50, MINUTE,
	     "time for an edge to say what became of a push"),
	BYTES(max_post, "max-post", "128KiB", 1, 16 * MI,
	      "largest message that the management API takes; over it: 413"),
	INT(max_bulk, "max-bulk", "10000", 1, 1000000,
	    "most connections that one POST /@connections may name; over it: 413"),
	INT(management_connections, "management-connections", "1024", 1, 65536,
	    "connections to the management API at a time (at most half of the "
	    "descriptors); over it the longest idle one is closed, or the new one gets "
	    "503"),
	INT(management_requests, "management-requests", "1000", 1, 1000000,
	    "its requests that may wait for an edge or Redis at a time; over it: 503"),
	BYTES(management_memory, "management-memory", "256MiB", MI, 1024LL * 1024 * MI,
	      "bytes of its requests, and of answers that are not read yet, at a time; "
	      "above: requests over 64 KiB, and those about many, get 503"),
	MSEC(management_ms, "management-timeout", "60s", 100, 60 * MINUTE,
	     "time for a request to arrive whole (then: 408), and for a connection "
	     "without one"),
	MSEC(drain_ms, "drain-timeout", "8s", 0, 60 * MINUTE,
	     "time after SIGTERM for what is under way to be finished"),
};

static bool is_right(const void *conf, struct conf_wrong *w);

static const struct conf_table table = {
	.program = "gatepost-broker",
	.purpose = "Takes events from edges, runs the functions of their routes, and "
		   "answers.",
	.keys = keys,
	.n = sizeof keys / sizeof *keys,
	.check = is_right,
};

enum err broker_conf_load(struct broker_conf *out, int argc, char **argv)
{
	return conf_load(&table, out, argc, argv);
}

static bool is_right(const void *conf, struct conf_wrong *w)
{
	const struct broker_conf *c = conf;

	if (!store_conf_is_right(&c->store, w))
		return false;
	if (c->management_auth != 0 && c->credentials == NULL)
		return conf_refuse(
			w, "management-auth",
			"it needs --credentials FILE, with the keys and tokens");
	if (c->stage != NULL &&
	    (c->stage[0] == '\0' || strpbrk(c->stage, "/?#% ") != NULL))
		return conf_refuse(w, "stage",
				   "allowed: one part of a path, such as dev");
	return true;
}
