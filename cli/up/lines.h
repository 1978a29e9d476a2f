#ifndef CLI_UP_LINES_H
#define CLI_UP_LINES_H

/*
 * Copy the output of another program to stderr, line by line, each after a
 * name: "ping | hello". In the JSON format of the log, a line is a log line.
 */

#include "base/loop.h"

#include <stdbool.h>

struct lines;

/*
 * name     of the lines; copied
 * json     as log lines "function.output"
 * returns  NULL with errno set when there is no pipe
 */
struct lines *lines_new(struct loop *l, const char *name, bool json);

/* Writes what has come, then closes. NULL is fine. */
void lines_free(struct lines *s);

/* The end for the program to write into. */
int lines_end(const struct lines *s);

/* The program has been started, or could not be: our copy of its end is closed. */
void lines_started(struct lines *s);

#endif
