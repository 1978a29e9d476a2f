#ifndef CLI_COMMANDS_CHECK_PRINT_H
#define CLI_COMMANDS_CHECK_PRINT_H

/* What a configuration means, for people. */

#include "config/config.h"

#include <stdio.h>

/* Something that was ignored. */
struct check_info {
	char *file;
	int line;
	char *at, *text; /* "serverless.yml:12:3", "plugins: ignored" */
};

void check_print(const struct config *c, const struct check_info *infos, size_t n,
		 FILE *out);

#endif
