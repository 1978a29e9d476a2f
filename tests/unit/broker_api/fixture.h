#ifndef TESTS_UNIT_BROKER_API_FIXTURE_H
#define TESTS_UNIT_BROKER_API_FIXTURE_H

/* The management API on a loop that turns while a test waits, with fakes of the store and of the commands behind it. */

#include "broker/api/management.h"
#include "fake_channels.h"
#include "fake_commands.h"
#include "fake_store.h"

enum { REPLY_HEAD = 2048, REPLY_BODY = 65536 };

/* A client: its socket, and what has come of its next reply. */
struct client {
	int fd;
	bool is_closed;
	struct evbuffer *got;
};

struct reply {
	int status;
	char head[REPLY_HEAD];
	char body[REPLY_BODY];
};

struct fixture {
	struct loop *loop;
	struct timer *tick;
	struct metrics *metrics;
	struct management *management;
	struct management_conf conf; /* may be changed before fixture_start */
	struct client clients[8];
	size_t n_clients;
};
extern struct fixture fixture;

/* Of each test: without a management API yet. */
void fixture_init(void);
void fixture_fini(void);

/* As conf says: on a free port of loopback, for everybody. */
void fixture_start(void);

/* For a TestSuite; 20 s are enough. */
#define FIXTURE .init = fixture_init, .fini = fixture_fini, .timeout = 20

/* Let the loop go on until all that is known has been done. */
void fixture_turn(void);

/* Turn until so many commands, or questions to the store, have been asked for. */
void fixture_until_commands(size_t n);
void fixture_until_questions(size_t n);

/* The same for what is asked of channels. */
void fixture_until_publications(size_t n);
void fixture_until_reads(size_t n);
void fixture_until_actions(size_t n);

/* A client of the address with this number, and one of the first. */
struct client *client_at(size_t number);
struct client *client_new(void);
void client_send(struct client *c, const char *text);

/* A request, with headers ("Name: value\r\n…") that may be "". */
void client_ask(struct client *c, const char *method, const char *target,
		const char *headers, const char *body);

/* The next reply, which must come; valid until the next call. */
const struct reply *client_reply(struct client *c);

/* Both, with a client of its own. */
const struct reply *ask(const char *method, const char *target, const char *body);

/* It resets its connection, and the server has seen it. */
void client_leave(struct client *c);

/* Turn until the server has closed the socket. */
void client_until_closed(struct client *c);

/* The reply is an error of this status and class. */
void expect_error(const struct reply *r, int status, const char *type);

bool reply_has(const struct reply *r, const char *header);

/* An id of this edge, as people see it. */
const char *id_of(uint16_t edge, uint32_t slot);

/* The value of a metric, by the beginning of its line without gatepost_broker_; -1: there is none. */
double metric_of(const char *line);

#endif
