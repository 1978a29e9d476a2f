#include "cli/up/up_conf.h"

#include "base/conf.h"
#include "redis/url.h"
#include "store/store.h"

#include <string.h>

enum {
	STAGE_MAX = 128, /* bytes, as on AWS */
	PROCESSES_MAX = 64,
	MINUTE = 60000, /* milliseconds */
};

static const char *const routes[] = {"builtin:reject", "builtin:echo"};
static const char *const levels[] = {"debug", "info", "warn", "error"};
static const char *const formats[] = {"text", "json"};

static const struct conf_key keys[] = {
	CONF_TEXT(struct up_conf, listen, "listen", "127.0.0.1:8080",
		  "address for clients; port 0 picks a free port"),
	CONF_TEXT(struct up_conf, management, "management", "127.0.0.1:8081",
		  "address of the management API (/@connections); port 0 picks a free "
		  "port"),
	CONF_TEXT(struct up_conf, metrics, "metrics", "127.0.0.1:0",
		  "address of the metrics of edge-0; the other edges and then the "
		  "brokers use the following ports; port 0: each picks a free port"),
	CONF_INT(struct up_conf, edges, "edges", "1", 1, PROCESSES_MAX,
		 "number of edges; they share the listening port"),
	CONF_INT(struct up_conf, brokers, "brokers", "2", 1, PROCESSES_MAX,
		 "number of brokers; with two, clients do not notice when one dies"),
	CONF_TEXT(struct up_conf, config, "config", NULL,
		  "configuration file; not set: gatepost.yml or serverless.yml of this "
		  "folder, else the built-in configuration"),
	CONF_TEXT(
		struct up_conf, stage, "stage", NULL,
		"first part of the path in URLs; not set: the configuration's, else dev"),
	CONF_TEXT(struct up_conf, python, "python", NULL,
		  "Python interpreter with awslambdaric; not set: python3 of the "
		  "project's .venv, else of PATH"),
	CONF_CHOICE(struct up_conf, default_route, "default-route", "builtin:reject",
		    "builtin:reject|builtin:echo",
		    "handler of $default: reject messages, or echo them"),
	CONF_CHOICE(struct up_conf, profile, "profile", "none", "none|aws",
		    "aws: API Gateway's quotas are the defaults of the edges' limits"),
	CONF_MSEC(struct up_conf, drain_delay_ms, "drain-delay", "0", 0, 10 * MINUTE,
		  "time after the signal in which edges still accept connections; only "
		  "needed behind a load balancer"),
	CONF_MSEC(struct up_conf, drain_ms, "drain-timeout", "8s", 0, 60 * MINUTE,
		  "maximum time in which edges close all clients"),
	CONF_TEXT(struct up_conf, redis, "redis", NULL,
		  "your Redis: unix:/path, redis://[user:password@]host[:port][/db], or "
		  "redis+sentinel://…, as for gatepost-broker; not set: a private one is "
		  "started"),
	CONF_TEXT(struct up_conf, redis_ca, "redis-ca", NULL,
		  "with rediss: PEM file of the authorities for the certificate of "
		  "Redis; not set: the system's"),
	CONF_TEXT(
		struct up_conf, redis_cert, "redis-cert", NULL,
		"with rediss: PEM file of the client certificate, if Redis requires one"),
	CONF_TEXT(struct up_conf, redis_key, "redis-key", NULL,
		  "with rediss: PEM file of the private key of --redis-cert"),
	CONF_TEXT(struct up_conf, redis_prefix, "redis-prefix",
		  "gatepost:", "prefix of all keys in Redis"),
	CONF_TEXT(struct up_conf, data, "data", NULL,
		  "folder for the data of the private Redis; not set: .gatepost in the "
		  "project's folder, or without a project, and with none, a temporary "
		  "folder that is removed at the end"),
	CONF_BOOL(struct up_conf, fresh, "fresh", "false",
		  "begin without the data that an earlier start has left in the folder"),
	CONF_CHOICE(struct up_conf, fsync, "fsync", "everysec", "everysec|always",
		    "when the private Redis writes kept data to the disk: once a second, "
		    "or before each answer"),
	CONF_BOOL(struct up_conf, demo, "demo", "false",
		  "after the start, act as a client and print what happens"),
	CONF_BOOL(struct up_conf, once, "once", "false",
		  "stop after the demo; exit status 0 if all steps succeeded"),
	CONF_TEXT(struct up_conf, ready_file, "ready-file", NULL,
		  "file to write the endpoints and processes to as JSON, when all are "
		  "ready"),
	CONF_CHOICE(struct up_conf, log_level, "log-level", "info",
		    "debug|info|warn|error", "minimum log level of all processes"),
	CONF_CHOICE(struct up_conf, log_format, "log-format", "text", "text|json",
		    "log format of all processes"),
};

static bool is_right(const void *conf, struct conf_wrong *w);
static bool demo_can_ask(const char *redis);
static bool stage_is_right(const char *stage);

static const struct conf_table table = {
	"gatepost up",
	"Start Redis, brokers and edges on this machine. Ctrl-C stops them; a second "
	"Ctrl-C\nkills them. Set their other settings in the environment: "
	"GATEPOST_MAX_MESSAGE=64KiB",
	keys,
	sizeof keys / sizeof *keys,
	is_right,
};

enum err up_conf_load(struct up_conf *out, int argc, char **argv)
{
	return conf_load(&table, out, argc, argv);
}

static bool is_right(const void *conf, struct conf_wrong *w)
{
	const struct up_conf *c = conf;
	struct store_conf store = {
		.redis = c->redis,
		.cert = c->redis_cert,
		.key = c->redis_key,
		.prefix = c->redis_prefix,
	};

	if (c->once && !c->demo)
		return conf_refuse(w, "once", "it needs --demo");
	if (c->redis && c->fresh)
		return conf_refuse(w, "fresh", "it cannot be used with --redis");
	if (c->redis && c->data && strcmp(c->data, UP_DATA_NONE) != 0)
		return conf_refuse(w, "data", "it cannot be used with --redis");
	if (!store_conf_is_right(&store, w))
		return false;
	if (c->demo && c->redis && !demo_can_ask(c->redis))
		return conf_refuse(
			w, "demo",
			"it cannot be used with a Redis over TLS or with sentinels");
	if (c->demo && c->config)
		return conf_refuse(w, "demo", "it cannot be used with --config");
	if (c->stage && !stage_is_right(c->stage))
		return conf_refuse(w, "stage", "allowed: 1 to 128 of A-Z a-z 0-9 _ -");
	return true;
}

static bool demo_can_ask(const char *redis)
{
	struct redis_url url;
	char why[256];

	return redis_url_parse(redis, &url, why, sizeof why) == OK && !url.tls &&
	       url.sentinels.n == 0;
}

static bool stage_is_right(const char *stage)
{
	size_t n = strspn(stage, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789_-");

	return stage[n] == '\0' && n >= 1 && n <= STAGE_MAX;
}

const char *up_conf_default_route(const struct up_conf *c)
{
	return routes[c->default_route];
}

const char *up_conf_log_level(const struct up_conf *c)
{
	return levels[c->log_level];
}

const char *up_conf_fsync(const struct up_conf *c)
{
	static const char *const words[] = {"everysec", "always"};

	return words[c->fsync];
}

const char *up_conf_profile(const struct up_conf *c)
{
	static const char *const profiles[] = {"none", "aws"};

	return profiles[c->profile];
}

const char *up_conf_log_format(const struct up_conf *c)
{
	return formats[c->log_format];
}
