#ifndef TESTS_UNIT_BROKER_EVENTS_FIXTURE_H
#define TESTS_UNIT_BROKER_EVENTS_FIXTURE_H

/*
 * What calls need, for one test: routes whose functions the test ends (fake_function.h), a
 * store that it answers (fake_store.h), a clock that it moves, and two askers who note what
 * they are answered.
 *
 * Its routes: $connect, $disconnect, $default (one-way), say (two-way), par (two-way,
 * parallel), echo (builtin), publish (builtin:channels); and GET /ping.
 */

#include "../fake_function.h"
#include "broker/events/handle.h"
#include "broker/events/redelivery.h"
#include "broker/routes/route.h"
#include "fake_store.h"
#include "tests/unit/fakes/fake_loop.h"

enum { ASKERS = 2, EDGE = 7, CLAIM_MS = 3000, TRIES = 3, DEAD_LETTERS = 50 };

/* connectedAt 5, sourceIp "::1", userAgent "curl", domainName "a.b" */
#define CONTEXT                                                                          \
	"\x08\x05\x12\x03::1\x1a\x04"                                                    \
	"curl\x22\x03"                                                                   \
	"a.b"

/* An answer without actions, or by its last action. */
enum answer_kind {
	ANSWER_DONE,
	ANSWER_RETRY,
	ANSWER_RESPONSE,
	ANSWER_FRAME,
	ANSWER_CLOSE
};

/* Who waits for an answer. */
struct asker {
	bool is_lost;
	size_t open; /* sinks that are not closed */
	size_t n;    /* answers that it got */
	struct {
		size_t actions;
		enum answer_kind kind;
		char id[ID_TEXT];
		uint32_t term;
		uint64_t seq;
		int64_t expires_ms;
		bool has_context;
		/* of the last action */
		int status;
		char headers[300]; /* "A=1;B=2;" */
		char body[300];
		bool binary;
		uint16_t code;
	} last;
};

struct fixture {
	struct loop *loop;
	struct metrics *metrics;
	struct call_counts counts;
	struct redelivery *redelivery;
	struct handle_uses uses;
	struct config *config; /* of routes */
	struct routes *routes;
	struct asker askers[ASKERS];
	size_t ended; /* calls that fixture_call made, and that have ended */
	/* What redelivery delivers; by default nothing can be read. */
	bool (*deliver)(const struct disconnect *d);
};
extern struct fixture fixture;

void fixture_start(void);
void fixture_stop(void);

/* A configuration with the routes above; to be changed, and given to fixture_use. */
struct config *fixture_config(void);
void fixture_use(struct config *c); /* takes it */

/* The connection that events are of. */
struct id fixture_id(void);

struct sink fixture_sink(int asker, uint32_t term);

/* An event of it, with CONTEXT; a CONNECT of GET /dev. */
Gatepost__Event fixture_event(Gatepost__Event__Kind kind, uint64_t seq);

/* A call of asker 0 for this event, or a pending disconnect, with its route chosen; it frees itself at its end. */
struct call *fixture_call(const Gatepost__Event *e);
struct call *fixture_pending(void);

/* What the store has of it: code 1006, "gone", 2 tries, time 5. text: ID_TEXT bytes. */
struct disconnect fixture_disconnect(char *text);

/* A packed Request "METHOD path" of fixture_event's; lives until the next call. */
ProtobufCBinaryData fixture_request(const char *method, const char *path);

ProtobufCBinaryData fixture_data(const char *text);

#endif
