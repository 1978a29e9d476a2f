#ifndef BROKER_API_EDGE_H
#define BROKER_API_EDGE_H

/*
 *   GET  /edges                             the linked edges: {"edges":[{"name":"edge-0","connections":3}]}
 *   POST /edges/{edge}/shed?connections=N   close N of its connections
 */

#include "broker/cluster/commands.h"
#include "http/server.h"

/* Answers q when each edge has counted its connections, or has not answered in time. to: borrowed until the answer. */
void edge_list(struct commands *to, struct http_request *q);

/* name: of the edge, as in the path. Answers q, now or later. */
void edge_shed(struct commands *to, struct http_request *q, struct span name);

#endif
