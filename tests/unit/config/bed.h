#ifndef TESTS_UNIT_CONFIG_BED_H
#define TESTS_UNIT_CONFIG_BED_H

/* Reads texts and files as configurations, and remembers what was said. */

#include "config/config.h"

/* A function that serves a route; one whose events follow; one whose keys follow. */
#define BED_ANY                                                                          \
	"functions:\n  f:\n    handler: builtin:echo\n    events:\n      - websocket: "  \
	"a\n"
#define BED_EVENT    "functions:\n  f:\n    handler: builtin:echo\n    events:\n"
#define BED_FUNCTION "functions:\n  f:\n"

struct bed {
	struct config *config; /* NULL: refused */
	char errors
		[4096]; /* "5:20: functions.f…: …\n" each; FILE: before those of another file */
	char infos[4096]; /* the same */
	char folder[32];  /* of bed_read's file; empty for bed_open's */
	struct config_options options;
};

/* Read a text, as gatepost.yml of a new folder, which becomes the working directory. */
void bed_read(struct bed *b, const char *text);

/* Write a file beside it, before bed_read; the first call makes the folder. */
void bed_file(struct bed *b, const char *name, const char *text);

/* Read one of files/. */
void bed_open(struct bed *b, const char *name);

/* Free what was read, and remove the folder. */
void bed_close(struct bed *b);

/* A text that is refused, and all that is said of it. Arrays: parameters of a test are copied to its process. */
struct bed_row {
	char why[72];
	char text[560];
	char want[360];
};
void bed_check(const struct bed_row *row);

/* Looked up by name; NULL when there is none. */
const struct config_function *bed_function(const struct bed *b, const char *name);
const struct config_route *bed_route(const struct bed *b, const char *key);

/* A variable of a function's environment; NULL when there is none. */
const char *bed_variable(const struct bed *b, const char *function, const char *name);

#endif
