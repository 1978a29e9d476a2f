#ifndef CLI_CLIENT_INPUT_H
#define CLI_CLIENT_INPUT_H

/* What a command sends: a word of its command line, or with "-" all of stdin. */

#include "base/span.h"

/*
 * own      what body points into, unless that is word: free(3) it
 * returns  false after a line on stderr: stdin cannot be read, or has more than 16 MiB
 */
bool input_read(const char *command, const char *word, struct span *body, uint8_t **own);

#endif
