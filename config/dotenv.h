#ifndef CONFIG_DOTENV_H
#define CONFIG_DOTENV_H

/*
 * .env files, for ${env:NAME}:
 *
 *   # a comment
 *   NAME=value            up to the end of the line, or to " #"; blanks around it are cut
 *   export NAME='value'   as it stands, over several lines too
 *   NAME="value"          the same; \n, \r, \t, \" and \\ are undone
 *
 * $NAME in a value stays as it is. Any other line is ignored, and reported.
 *
 * source  https://github.com/motdotla/dotenv (its rules; Serverless reads with it)
 */

#include "config/reading.h"

struct dotenv;

/* Add what path has; names that are there already stay as they are. No such file: nothing happens. */
void dotenv_read(struct reading *r, const char *path);

/* Both in one, first wins. Takes both; each may be NULL. */
struct dotenv *dotenv_join(struct dotenv *first, struct dotenv *second);

/* NULL when there is no such name; d may be NULL. */
const char *dotenv_find(const struct dotenv *d, const char *name);
void dotenv_free(struct dotenv *d); /* NULL is fine */

#endif
