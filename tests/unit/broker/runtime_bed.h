#ifndef TESTS_UNIT_BROKER_RUNTIME_BED_H
#define TESTS_UNIT_BROKER_RUNTIME_BED_H

/*
 * A runtime on a loop that turns only while a test waits, and workers that are plain sockets.
 *
 * The functions are the words that the tests of a runtime are told in, and so have no prefix.
 */

#include "broker/runtime.h"

#include <stdbool.h>
#include <stdint.h>

enum { PATIENCE_MS = 10000, ENDS = 8, TEXT = 8192 };

struct runtime_bed {
	struct loop *loop;
	struct metrics *metrics;
	struct runtime *runtime;
	int n; /* ends of invocations */
	struct {
		enum result_kind kind;
		char why[600], payload[600];
		const char *which; /* its id */
	} ended[ENDS];
	bool frees; /* the runtime, when an invocation ends */
};
extern struct runtime_bed runtime_bed;

/* A runtime of function f, in which so many may wait, and for so long. */
void set_up(int64_t queue, int64_t wait_ms);
void tear_down(void);

/* Let the loop go on for a moment. */
void turn(void);

/* Ask for an invocation. The id is kept, as which, until tear_down. again: it may be repeated. */
void invoke_for(const char *id, int64_t timeout_ms, bool again);
void invoke(const char *id); /* once, with time enough */

/* Turn until n invocations have ended in all. */
void ended(int n);

/* Workers: each is a socket, closed by the test */

int worker(void);

/* A request. */
void say(int fd, const char *method, const char *path, const char *body);

/* It asks for its next invocation. */
void polls(int fd);

/* Has something come for it, when all has been done that could be? */
bool hears(int fd);

/* One whole response; its status. */
int response(int fd, char text[TEXT]);
int status(int fd);

/* It has been given the invocation of this id. */
bool is_given(int fd, const char *id);

/* It answers this invocation, how: "response" or "error"; the status that it gets. */
int answers(int fd, const char *id, const char *how, const char *body);

/* It dies, and the runtime has seen it. */
void tear(int fd);

#endif
