#ifndef CONFIG_TEXT_FILE_H
#define CONFIG_TEXT_FILE_H

/* A whole text file in memory. */

#include "base/err.h"

#include <stddef.h>

enum { TEXT_FILE_MOST = 4 * 1024 * 1024 }; /* bytes */

/*
 * Read a regular file of UTF-8 text.
 *
 * out      n bytes and a zero, freed with free(3); on OK alone
 * why      gets a few words on any other result: "is larger than 4 MiB"
 * line     gets the line that is wrong, 0 for the whole file
 * returns  OK; ERR_NOTFOUND when there is no such file; ERR_DENIED when it cannot be
 *          read; ERR_TOOBIG; ERR_MALFORMED for what is no text
 */
must_use enum err text_file_read(const char *path, char **out, size_t *n,
				 const char **why, int *line);

#endif
