#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

/* What main wires, and the management API works with. */

#include "base/loop.h"
#include "base/metric.h"
#include "broker/conf.h"

struct broker {
	struct broker_conf conf;
	struct loop *loop;
	struct metrics *metrics;
	struct store *store;
	struct project *project;
	struct commands *commands;
};

#endif
