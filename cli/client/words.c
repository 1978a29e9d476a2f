#include "cli/client/words.h"

#include "base/mem.h"

#include <stdlib.h>

void words_take(struct words *w, char *word)
{
	w->list = xrealloc(w->list, (w->n + 2) * sizeof(char *));
	w->list[w->n++] = word;
	w->list[w->n] = NULL;
}

void words_free(char **list)
{
	for (char **word = list; word && *word; word++)
		free(*word);
	free(list);
}
