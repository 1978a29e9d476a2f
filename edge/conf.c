#include "edge/conf.h"

#include "base/mem.h"

#include <stdlib.h>

#define TEXT(f, name, dflt, help) CONF_TEXT(struct edge_conf, f, name, dflt, help)
#define INT(f, name, dflt, least, most, help)                                            \
	CONF_INT(struct edge_conf, f, name, dflt, least, most, help)
#define BYTES(f, name, dflt, least, most, help)                                          \
	CONF_BYTES(struct edge_conf, f, name, dflt, least, most, help)
#define MSEC(f, name, dflt, least, most, help)                                           \
	CONF_MSEC(struct edge_conf, f, name, dflt, least, most, help)

enum {
	KI = 1024,
	MI = 1024 * 1024,
	SECOND = 1000,
	MINUTE = 60 * SECOND,
	DAY = 1440 * MINUTE
};

static const struct conf_key keys[] = {
	TEXT(name, "name", "edge-0",
	     "name of this process in logs; unique in the cluster"),
	TEXT(listen, "listen", "0.0.0.0:8080",
	     "address for clients; several edges of a host may share it"),
	TEXT(brokers, "brokers", "tcp://127.0.0.1:7400",
	     "endpoints for the first contact with a broker, with commas: "
	     "tcp://host:port, ipc:///path"),
	TEXT(metrics, "metrics", "127.0.0.1:9101",
	     "address of /livez, /readyz and /metrics"),
	CONF_CHOICE(struct edge_conf, log_level, "log-level", "info",
		    "debug|info|warn|error", "minimum log level"),
	CONF_CHOICE(struct edge_conf, log_format, "log-format", "text", "text|json",
		    "format of the log lines"),

	CONF_CHOICE(struct edge_conf, client.profile, "profile", "none", "none|aws",
		    "aws: API Gateway's quotas are the defaults of the limits below"),
	BYTES(client.max_message, "max-message", "16MiB", 1, 64 * MI,
	      "maximum size of a message from a client, all frames together; over it: "
	      "close 1009"),
	BYTES(client.max_frame, "max-frame", "16MiB", 125, 64 * MI,
	      "maximum size of a frame from a client; over it: close 1009"),
	BYTES(client.max_target, "max-target", "4KiB", 64, 64 * KI,
	      "maximum length of path and query of a request; over it: 414"),
	BYTES(client.max_head, "max-head", "16KiB", 512, 256 * KI,
	      "maximum size of a request head; over it: 431"),
	INT(max_connections, "max-connections", "1000000", 1, 4000000,
	    "maximum number of sockets (open files, or the memory of the cgroup, may "
	    "allow fewer); over it: 503, and not ready"),

	MSEC(client.handshake_ms, "handshake-timeout", "10s", 100, 10 * MINUTE,
	     "time for a request to arrive completely; then: 408"),
	MSEC(client.verdict_ms, "verdict-timeout", "35s", 100, 60 * MINUTE,
	     "time for $connect or an HTTP function to answer; then: 504"),
	MSEC(client.keep_alive_ms, "keep-alive", "75s", 100, 60 * MINUTE,
	     "idle time after an HTTP response before the socket is closed"),
	MSEC(client.close_ms, "close-timeout", "5s", 100, 10 * MINUTE,
	     "time for a client to answer a close frame; then its socket is closed"),
	MSEC(client.ping_ms, "ping-every", "25s", 100, 60 * MINUTE,
	     "idle time of a client before a ping is sent"),
	MSEC(client.pong_ms, "pong-timeout", "20s", 100, 60 * MINUTE,
	     "time without data after that ping before the connection is closed (1006)"),
	MSEC(client.idle_ms, "idle-timeout", "0", 0, 365LL * DAY,
	     "time without a message in either direction before close 1001; 0: never"),
	MSEC(client.max_age_ms, "max-age", "0", 0, 365LL * DAY,
	     "maximum age of a connection; then close 1001; 0: no limit"),
	INT(client.max_age_jitter, "max-age-jitter", "10", 0, 100,
	    "percent of --max-age by which a connection may be closed earlier, at "
	    "random, so that clients do not reconnect together"),
	CONF_CHOICE(struct edge_conf, client.binary, "binary", "accept", "accept|refuse",
		    "accept binary messages, or refuse them with close 1003"),
	MSEC(client.stall_ms, "stall-timeout", "30s", 100, 60 * MINUTE,
	     "time in which a client reads nothing of its outbox; then it is "
	     "disconnected"),

	BYTES(client.outbox_bytes, "outbox", "1MiB", 4 * KI, 1024 * MI,
	      "maximum bytes queued for a slow client; over it: pushes get 429, and its "
	      "messages are not read"),
	BYTES(client.outbox_memory, "outbox-memory", "512MiB", MI, 1024LL * 1024 * MI,
	      "maximum bytes queued for all clients (by default at most a quarter of the "
	      "cgroup's memory); over it: a client with more than 16 KiB is treated as "
	      "if "
	      "its --outbox were full"),
	BYTES(client.held_bytes, "held-memory", "512MiB", MI, 1024LL * 1024 * MI,
	      "maximum bytes of incomplete and unanswered messages of all clients (by "
	      "default at most a quarter of the cgroup's memory); over it: large "
	      "messages "
	      "get 1013"),
	INT(client.early_posts, "early-posts", "64", 0, 1024,
	    "maximum number of pushes (and 256 KiB) that wait for a connection's 101 "
	    "while its $connect runs; 0: they get 410"),
	INT(client.lane_events, "lane-events", "32", 1, 65536,
	    "unanswered messages of a connection before its socket is no longer read"),
	BYTES(client.lane_bytes, "lane-bytes", "1MiB", 1, 1024 * MI,
	      "the same in bytes of memory; a message takes about 100 bytes more than "
	      "its size"),
	INT(lane_in_flight, "lane-in-flight", "16", 1, 65536,
	    "maximum events of a connection at a broker: its invocations at a time on a "
	    "route with concurrency: parallel, and events sent ahead on other routes"),
	INT(client.address_connections, "address-connections", "0", 0, 4000000,
	    "maximum sockets of one address (of IPv6: one /64); over it: 429. 0: no "
	    "limit, since behind a proxy all clients have the proxy's address"),
	INT(client.address_rate, "address-rate", "0", 0, 1000000,
	    "maximum new sockets a second of one address, after --address-burst is used "
	    "up; over it: 429. 0: no limit, for the same reason"),
	INT(client.address_burst, "address-burst", "20", 1, 1000000,
	    "new sockets of one address that are accepted at once, with --address-rate"),

	MSEC(drain_delay_ms, "drain-delay", "5s", 0, 10 * MINUTE,
	     "time after SIGTERM in which it is not ready but still accepts, until load "
	     "balancers send no more clients"),
	INT(client.drain_rate, "drain-rate", "500", 1, 1000000,
	    "clients closed a second after that, in random order (more if "
	    "--drain-timeout requires it), and by gatepost shed"),
	MSEC(drain_ms, "drain-timeout", "60s", 0, 60 * MINUTE,
	     "maximum time to close all clients; then the rest is disconnected"),
	MSEC(grace_ms, "grace", "0", 0, DAY,
	     "time from SIGTERM to SIGKILL, as the supervisor has it: a drain that can "
	     "take longer is a warning at the start; 0: not known"),

	MSEC(heartbeat_ms, "heartbeat", "1s", 50, MINUTE,
	     "interval in which each broker gets at least one message"),
	MSEC(silence_ms, "silence", "5s", 100, 10 * MINUTE,
	     "a broker is considered down after this long without a message"),
	MSEC(retry_ms, "retry", "1s", 10, MINUTE,
	     "pause before a broker that is down is reconnected, or an event that failed "
	     "is retried"),
	MSEC(resolve_ms, "resolve", "5s", 100, 60 * MINUTE,
	     "how often the names in --brokers are resolved"),
	INT(credit_items, "credit-items", "16384", 16, 1000000,
	    "maximum pushes of a broker in flight to this edge"),
	BYTES(credit_bytes, "credit-bytes", "32MiB", 64 * KI, 1024 * MI,
	      "the same in bytes"),
};

static const struct conf_table table = {
	.program = "gatepost-edge",
	.purpose = "Terminates WebSockets and sends their events to brokers.",
	.keys = keys,
	.n = sizeof keys / sizeof *keys,
};

/* API Gateway's quotas (developer guide, "Quotas for WebSocket APIs"). */
static const struct conf_default aws[] = {
	{"max-message", "128KiB"}, {"max-frame", "32KiB"}, {"idle-timeout", "10m"},
	{"max-age", "2h"},         {"binary", "refuse"},   {"early-posts", "0"},
};

enum { MEMORY_PART = 4, DEFAULTS_MOST = 8 };

/* At most a quarter of the cgroup's memory for each of both budgets. */
static char *budget(const struct cgroup *limit)
{
	int64_t bytes = cgroup_share(limit, MEMORY_PART, 512LL * MI);

	return xasprintf("%lld", (long long)(bytes < MI ? MI : bytes));
}

enum err edge_conf_load(struct edge_conf *out, const struct cgroup *limit, int argc,
			char **argv)
{
	char *bytes = budget(limit);
	struct conf_default defaults[DEFAULTS_MOST] = {{"held-memory", bytes},
						       {"outbox-memory", bytes}};
	size_t n = 2;
	enum err e = conf_load_with(&table, defaults, n, out, argc, argv);

	if (e == OK && out->client.profile == EDGE_PROFILE_AWS) {
		for (size_t i = 0; i < sizeof aws / sizeof *aws; i++)
			defaults[n++] = aws[i];
		e = conf_load_with(&table, defaults, n, out, argc, argv);
	}
	free(bytes);
	return e;
}
