#ifndef BROKER_CLUSTER_EDGES_H
#define BROKER_CLUSTER_EDGES_H

/*
 * The edges, as a broker sees them: one ROUTER, and a link for each that has sent Hello.
 * Their messages are received here and passed to callbacks. The timer here notices when this
 * process was stopped.
 */

#include "broker/cluster/edge_link.h"
#include "broker/cluster/fences.h"
#include "broker/cluster/members.h"

struct edges;

struct edges_conf {
	const char *name; /* of this broker; texts are borrowed */
	uint64_t boot;
	const char *bind;
	const char *advertise; /* NULL: what bind gives */
	int64_t heartbeat_ms, silence_ms, lease_ms;
	int64_t credit_events, credit_bytes; /* for each edge */
};

/* What edges works with; all of it is borrowed until edges_free. */
struct edges_uses {
	struct loop *loop;
	void *zctx;
	struct store *store;
	struct members *members;
	struct fences *fences;
	struct metrics *metrics; /* may be NULL */
};

/* Messages of an edge, and its end. Arguments are borrowed until the function returns. */
struct edges_callbacks {
	/* Its link has come up. */
	void (*up)(void *arg, struct edge_link *edge);
	/* Its link is up, and the event's id is of its number. */
	void (*event)(void *arg, struct edge_link *from, const Gatepost__Event *e);
	/* The answer to a command. */
	void (*outcome)(void *arg, struct edge_link *from, const Gatepost__Outcome *o);
	/* Its link is up. Some of the connections that it has. */
	void (*resync)(void *arg, struct edge_link *from, const Gatepost__Roster *m);
	/* Its link is up. Channels that it carries, and a question about what one of them missed. */
	void (*interest)(void *arg, struct edge_link *from, const Gatepost__Interest *m);
	void (*gap)(void *arg, struct edge_link *from, const Gatepost__Gap *g);
	/* Its link has ended; also from inside of edges_free. */
	void (*gone)(void *arg, struct edge_link *edge);
};

/* NULL after an error line when conf->bind cannot be bound. Each of on's functions gets arg. */
struct edges *edges_new(const struct edges_conf *conf, const struct edges_uses *uses,
			const struct edges_callbacks *on, void *arg);

/* Before store_free: the answers to questions about leases are not waited for. NULL is fine. */
void edges_free(struct edges *edges);

/* Where edges connect to; lives as long as edges. */
const char *edges_endpoint(const struct edges *edges);

/*
 * The link that is up of the edge with this number; NULL: none. When two links have the
 * number (the older one is not known to be dead yet), the newer.
 */
struct edge_link *edges_find(const struct edges *edges, uint16_t number);

/* Call fn for each link that is up; of those with one number for the newest. name: borrowed for the call. */
typedef void edges_fn(void *arg, uint16_t number, const char *name);
void edges_each(const struct edges *edges, edges_fn *fn, void *arg);

/* Links that are up. */
int64_t edges_count(const struct edges *edges);

/* Ask all edges, also those that link from now on, for no new lanes. */
void edges_leave(struct edges *edges);

/* Was this process stopped at some time since since_ms (loop_now)? Then what was late was not others' fault. */
bool edges_were_suspended(struct edges *edges, int64_t since_ms);

/* Send what this turn has produced; a hook of the loop. */
void edges_flush(void *edges);

#endif
