#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

/* What the rooms of a broker share: who it is, what it counts, and where the next room is. */

#include "base/loop.h"
#include "base/metric.h"
#include "broker/conf.h"

struct commands;
struct fences;
struct http_client;
struct lanes;
struct members;
struct owed;
struct edges;
struct reaper;
struct resync;
struct project;
struct routes;

struct broker_counts {
	struct metric *connects, *messages, *disconnects, *requests;
	struct metric *refused, *retried, *repeated;
};

struct broker {
	struct broker_conf conf;
	struct broker_counts counts;
	struct loop *loop;
	struct metrics *metrics;
	struct store *store;
	struct project *project;
	struct routes *routes; /* the project's, as it is now */
	struct lanes *lanes;
	struct edges *edges;
	struct commands *commands;
	struct http_client *http; /* for functions over HTTP */
	struct members *members;
	struct owed *owed;
	struct reaper *reaper;
	struct fences *fences;
	struct resync *resync;

	uint64_t boot;
	bool draining;
};

#endif
