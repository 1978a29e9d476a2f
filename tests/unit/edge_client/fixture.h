#ifndef TESTS_UNIT_EDGE_CLIENT_FIXTURE_H
#define TESTS_UNIT_EDGE_CLIENT_FIXTURE_H

/*
 * The clients' side of an edge, without a process: real sockets (a pair for each client), a clock that the
 * test moves, and in place of edge/link/uplink.c a broker that answers when the test says so.
 */

#include "tests/unit/fakes/fake_loop.h"

#include "base/metric.h"
#include "edge/client/connection.h"
#include "edge/client/end.h"

#include <proto/gatepost.pb-c.h>

enum { LINK = 3, NUMBER = 7, MOST = 64, READ_MOST = 64 * 1024 };

struct fixture {
	struct clients_conf conf; /* before fixture_start */
	uint32_t most;            /* connections; before fixture_start */
	struct loop *loop;
	struct metrics *metrics;
	struct channels *channels;
	struct clients *clients;
	uint16_t number; /* that brokers have given */
	bool is_seen;    /* brokers get what is sent to them; else it waits in its lane */
	Gatepost__Outcome__Result
		outcome; /* of the last command, and its results for many ids */
	uint8_t results[MOST];
	size_t n_results;
	size_t outcomes;
	uint32_t reached;  /* of the last outcome */
	bool subscribed;   /* of it, too */
	uint64_t interest; /* the serial of the last item */
	size_t gaps;       /* asked */
	size_t left;       /* calls of uplink_leave */
};

extern struct fixture fixture;

/* For TestSuite's .init and .fini; with another conf: fixture_defaults, and then fixture_start. */
void fixture_defaults(void);
void fixture_start(void);
void fixture_init(void);
/* Ends all, and checks that nothing of it is left. */
void fixture_stop(void);

/* A client that has just been accepted; at most MOST at a time. Closed by fixture_stop if it is still open. */
struct client {
	int fd; /* its end of the socket; -1: closed */
	struct id id;
};
struct client *client_new(void);

/* Its connection; NULL: it is freed. */
struct connection *client_connection(const struct client *k);

void client_send(struct client *k, const void *p, size_t n);
void client_send_text(struct client *k, const char *text);

/* A masked frame; op with or without the bit that it is the last one. */
void client_send_frame(struct client *k, uint8_t op, const void *p, size_t n);

/* All that has come, with a zero behind it. n may be NULL. Lives until the next call. */
const char *client_read(struct client *k, size_t *n);

/* Has it read the end, or a reset? Nothing else may wait for it. */
bool client_is_at_end(struct client *k);

void client_close(struct client *k);

/* An upgrade is asked for, and accepted; what came of it is read. */
void client_upgrade(struct client *k);
struct client *client_open(void);

extern const char UPGRADE[], GET[], POST[];

/* The oldest event of its lane; NULL: none. */
const struct lane_event *client_event(const struct client *k);

/* The youngest. */
const struct lane_event *client_last_event(const struct client *k);

/* Brokers answer the oldest event: with a, or with n actions. a: NULL for an answer with nothing in it. */
void client_answer(struct client *k, const Gatepost__Answer *a);
void client_answer_actions(struct client *k, Gatepost__Action *actions, size_t n);

/* Actions of an answer; texts are borrowed, and r lives as long as the action. */
Gatepost__Action action_response(Gatepost__Response *r);
Gatepost__Action action_text(const char *text);
Gatepost__Action action_binary(const char *text);
Gatepost__Action action_close(Gatepost__Close *room, uint32_t code, const char *reason);
void client_answer_status(struct client *k, uint32_t status);
void client_answer_frame(struct client *k, const char *text);

/* The event is sent to no broker any more. */
void client_poison(struct client *k);

/* A command for it, or for the ids in m. */
void client_command(const struct client *k, Gatepost__Command *m);

/* Ms pass, and connections are ticked as often as in them. */
void fixture_pass(int64_t ms);

/* The counter's or gauge's value. labels: NULL, or as in metric_counter. */
int64_t fixture_metric(const char *name, const char *labels);

#endif
