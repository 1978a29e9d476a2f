#include "bench/fanout_plan.h"

#include "base/conf.h"
#include "bench/fanout_text.h"

#include <stdio.h>

enum {
	CONNECTIONS =
		19000, /* one process; the hard limit of descriptors is often 20,000 */
	FOR_MANY = 4,  /* publishers when there is more than one channel */
};

static const struct conf_key keys[] = {
	CONF_TEXT(struct fanout_plan, url, "url", NULL,
		  "the server, ws://HOST:PORT/PATH; if not set, the one in --pids-from"),
	CONF_CHOICE(struct fanout_plan, protocol, "protocol", "gatepost",
		    "gatepost|floor",
		    "what the server speaks; floor: bench-floor-fanout"),
	CONF_TEXT(struct fanout_plan, space, "namespace", "",
		  "namespace of the channels; empty: that of names without one"),
	CONF_INT(struct fanout_plan, channels, "channels", "1", 1, CONNECTIONS,
		 "channels"),
	CONF_INT(struct fanout_plan, subscribers, "subscribers", "1000", 1, CONNECTIONS,
		 "subscribers of each channel, each a connection of its own"),
	CONF_INT(struct fanout_plan, publishers, "publishers", "0", 0, FANOUT_PUBLISHERS,
		 "connections that publish; 0: 1 for one channel, 4 for many"),
	CONF_INT(struct fanout_plan, publications, "publications", "1000", 0, 10000000,
		 "publications, each in a channel that is chosen at random"),
	CONF_INT(struct fanout_plan, warm_up, "warm-up", "50", 0, 1000000,
		 "publications before, which are checked but not measured"),
	CONF_INT(struct fanout_plan, in_flight, "in-flight", "1", 1, 100000,
		 "publications that not all of their subscribers have yet, at any time"),
	CONF_BYTES(struct fanout_plan, size, "size", "128", FANOUT_MARK, 1 << 16,
		   "bytes of the data of a publication"),
	CONF_INT(struct fanout_plan, connecting, "connecting", "200", 1, 100000,
		 "connections being opened, subscribed or closed at any time"),
	CONF_INT(struct fanout_plan, seed, "seed", "1", 0, INT64_MAX,
		 "of the choice of channels and publishers"),
	CONF_MSEC(struct fanout_plan, hold_ms, "hold", "0", 0, 600000,
		  "time that the servers get before each look at them but the last"),
	CONF_MSEC(struct fanout_plan, settle_ms, "settle", "0", 0, 600000,
		  "time that the servers get before the last look at them"),
	CONF_MSEC(struct fanout_plan, timeout_ms, "timeout", "20s", 1, 600000,
		  "longest time in which nothing comes"),
	CONF_MSEC(struct fanout_plan, deadline_ms, "deadline", "5m", 1, 86400000,
		  "longest time for all"),
	CONF_BOOL(struct fanout_plan, subscribe, "subscribe", "true",
		  "false: connect and close alone, without publications"),
	CONF_BOOL(struct fanout_plan, ping, "ping", "false",
		  "let each connection have an action answered before it is looked at"),
	CONF_BOOL(struct fanout_plan, refusals, "refusals", "false",
		  "errors that can be retried are counted, and nothing wrong"),
	CONF_TEXT(struct fanout_plan, pids, "pids", NULL,
		  "server processes to measure, PID[,PID…]"),
	CONF_TEXT(struct fanout_plan, pids_from, "pids-from", NULL,
		  "ready file of `gatepost up` that names them"),
	CONF_BOOL(struct fanout_plan, json, "json", "false",
		  "print JSON instead of lines"),
};

static const struct conf_table table = {
	.program = "bench-fanout",
	.purpose = "Subscribe connections to channels, publish, and check that each "
		   "subscriber gets each publication once and in order.",
	.keys = keys,
	.n = sizeof keys / sizeof *keys,
};

static enum err refuse(const char *why)
{
	fprintf(stderr, "bench-fanout: %s\n", why);
	return ERR_MALFORMED;
}

enum err fanout_plan_load(struct fanout_plan *p, int argc, char **argv)
{
	enum err e = conf_load(&table, p, argc, argv);

	if (e != OK)
		return e;
	if (p->url == NULL && p->pids_from == NULL)
		return refuse("no server: give --url ws://HOST:PORT/PATH, or --pids-from "
			      "with a ready file");
	if (p->publishers == 0)
		p->publishers = p->channels > 1 ? FOR_MANY : 1;
	if (p->channels * p->subscribers + p->publishers > CONNECTIONS)
		return refuse("--channels times --subscribers: more than 19000 "
			      "connections");
	if (!p->subscribe)
		p->publications = 0;
	if (p->publications == 0)
		p->publishers = p->warm_up = 0;
	if (p->protocol == FANOUT_FLOOR && p->ping)
		return refuse("--ping true: the floor has no such action");
	return OK;
}
