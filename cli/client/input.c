#include "cli/client/input.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

enum { INPUT_MOST = 16 * 1024 * 1024, STEP = 64 * 1024 };

bool input_read(const char *command, const char *word, struct span *body, uint8_t **own)
{
	uint8_t *all = NULL;
	size_t n = 0, got;

	*own = NULL;
	*body = span_str(word);
	if (strcmp(word, "-") != 0)
		return true;
	do {
		all = xrealloc(all, n + STEP);
		got = fread(all + n, 1, STEP, stdin);
		n += got;
	} while (got > 0 && n <= INPUT_MOST);
	*body = span_of(all, n);
	*own = all;
	if (n <= INPUT_MOST && !ferror(stdin))
		return true;
	fprintf(stderr, "%s: stdin %s\n", command,
		ferror(stdin) ? "cannot be read" : "has more than 16 MiB");
	free(all);
	*own = NULL;
	return false;
}
