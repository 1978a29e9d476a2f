#include "bench/plan.h"

#include "base/conf.h"

#include <stdio.h>

enum {
	A_PROCESS = 19000
}; /* clients; the hard limit of descriptors is 20,000 on many machines */

static const struct conf_key keys[] = {
	CONF_TEXT(struct plan, url, "url", NULL,
		  "the server, ws://HOST:PORT/PATH; if not set, the one in --pids-from"),
	CONF_INT(struct plan, connections, "connections", "100", 1, 1000000,
		 "WebSocket connections"),
	CONF_INT(struct plan, messages, "messages", "10", 0, 100000000,
		 "messages that each connection sends, one after the other's answer"),
	CONF_BYTES(struct plan, size, "size", "128", 64, 1 << 20, "bytes of a message"),
	CONF_INT(struct plan, in_flight, "in-flight", "0", 0, 1000000,
		 "connections that wait for an answer at any time; 0 is all"),
	CONF_INT(struct plan, rate, "rate", "5000", 1, 1000000,
		 "connections opened, and closed, in a second"),
	CONF_INT(
		struct plan, message_rate, "message-rate", "0", 0, 10000000,
		"messages in a second, of all connections together; 0 is as fast as they "
		"are answered"),
	CONF_INT(struct plan, connecting, "connecting", "500", 1, 1000000,
		 "connections being opened at any time"),
	CONF_MSEC(struct plan, hold_ms, "hold", "0", 0, 86400000,
		  "time to stay connected and silent, after the messages"),
	CONF_MSEC(struct plan, settle_ms, "settle", "1s", 0, 600000,
		  "time that the servers get before the last look at them"),
	CONF_MSEC(struct plan, timeout_ms, "timeout", "20s", 1, 600000,
		  "longest wait for one answer"),
	CONF_MSEC(struct plan, deadline_ms, "deadline", "5m", 1, 86400000,
		  "longest time for all"),
	CONF_INT(struct plan, processes, "processes", "0", 0, 64,
		 "processes of the generator; 0 is as many as the descriptors ask for"),
	CONF_TEXT(struct plan, pids, "pids", NULL,
		  "server processes to measure, PID[,PID…]"),
	CONF_TEXT(struct plan, pids_from, "pids-from", NULL,
		  "ready file of `gatepost up` that names them"),
	CONF_BOOL(struct plan, reset, "reset", "false",
		  "end connections with a RST, as a host does that lost its power"),
	CONF_BOOL(struct plan, json, "json", "false", "print JSON instead of lines"),
};

static const struct conf_table table = {
	.program = "bench-load",
	.purpose = "Open WebSocket connections, let each send and get back messages, "
		   "close them; "
		   "count, time and check all of it.",
	.keys = keys,
	.n = sizeof keys / sizeof *keys,
};

/* What the rows of the table cannot say alone. */
static void complete(struct plan *p)
{
	if (p->in_flight == 0 || p->in_flight > p->connections)
		p->in_flight = p->connections;

	int64_t needed = (p->connections + A_PROCESS - 1) / A_PROCESS;
	if (p->processes < needed)
		p->processes = needed;
	if (p->processes > p->in_flight)
		p->processes = p->in_flight;
}

enum err plan_load(struct plan *p, int argc, char **argv)
{
	enum err e = conf_load(&table, p, argc, argv);

	if (e != OK)
		return e;
	if (p->url == NULL && p->pids_from == NULL) {
		fprintf(stderr, "bench-load: no server: give --url ws://HOST:PORT/PATH, "
				"or --pids-from with a ready file\n");
		return ERR_MALFORMED;
	}
	complete(p);
	return OK;
}
