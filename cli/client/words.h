#ifndef CLI_CLIENT_WORDS_H
#define CLI_CLIENT_WORDS_H

/* A list of texts that grows: an argv or an environment. Always ended by NULL. */

#include <stddef.h>

struct words {
	char **list; /* NULL when it is empty */
	size_t n;
};

/* Append; takes word (free(3)). */
void words_take(struct words *w, char *word);

/* NULL is fine. */
void words_free(char **list);

#endif
