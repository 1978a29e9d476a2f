#ifndef CLI_UP_PROJECT_H
#define CLI_UP_PROJECT_H

/* The configuration that `gatepost up` runs: --config, else that of the folder, else what is built in. */

#include "cli/up/up_conf.h"
#include "config/config.h"

struct project {
	char *file;                    /* NULL: what is built in */
	char *stage;                   /* as it was at the start: it is in URLs */
	struct config *config;         /* NULL once it was taken over */
	struct config_options options; /* for reading it again */
};

/* Its mistakes are reported once, here, and not by each broker; then it returns false. */
bool project_read(struct project *p, const struct up_conf *conf);
/* The folder that its file is in, freed by the caller. There is a file. */
char *project_folder(const struct project *p);

void project_close(struct project *p); /* a zeroed one is fine */

#endif
