#ifndef TESTS_UNIT_CONFIG_FIXTURE_H
#define TESTS_UNIT_CONFIG_FIXTURE_H

/* Reads texts and files as configurations, and remembers what was said. */

#include "config/config.h"

/* A function that serves a route; one whose events follow; one whose keys follow. */
#define FIXTURE_ANY                                                                      \
	"functions:\n  f:\n    handler: builtin:echo\n    events:\n      - websocket: "  \
	"a\n"
#define FIXTURE_EVENT    "functions:\n  f:\n    handler: builtin:echo\n    events:\n"
#define FIXTURE_FUNCTION "functions:\n  f:\n"

struct fixture {
	struct config *config; /* NULL: refused */
	char errors
		[4096]; /* "5:20: functions.f…: …\n" each; FILE: before those of another file */
	char infos[4096]; /* the same */
	char folder[32];  /* of fixture_read's file; empty for fixture_open's */
	struct config_options options;
};

/* Read a text, as gatepost.yml of a new folder, which becomes the working directory. */
void fixture_read(struct fixture *b, const char *text);

/* Write a file beside it, before fixture_read; the first call makes the folder. */
void fixture_file(struct fixture *b, const char *name, const char *text);

/* Read one of files/. */
void fixture_open(struct fixture *b, const char *name);

/* Free what was read, and remove the folder. */
void fixture_close(struct fixture *b);

/* A text that is refused, and all that is said of it. Arrays: parameters of a test are copied to its process. */
struct fixture_row {
	char why[72];
	char text[560];
	char want[360];
};
void fixture_check(const struct fixture_row *row);

/* Looked up by name; NULL when there is none. */
const struct config_function *fixture_function(const struct fixture *b, const char *name);
const struct config_route *fixture_route(const struct fixture *b, const char *key);

/* A variable of a function's environment; NULL when there is none. */
const char *fixture_variable(const struct fixture *b, const char *function,
			     const char *name);

#endif
