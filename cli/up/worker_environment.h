#ifndef CLI_UP_WORKER_ENVIRONMENT_H
#define CLI_UP_WORKER_ENVIRONMENT_H

/*
 * The environment that a handler finds, as on Lambda: and where its AWS SDK finds the
 * tables and the management API.
 *
 * Nothing that the developer has set is hidden: a region, an endpoint, credentials. An SDK
 * has one set of credentials for all services, so with credentials of AWS's in this home
 * the worker gets no key of its own, and its function is named in the endpoint of the tables.
 *
 * source  AWS: "Defined runtime environment variables"; AWS SDKs and Tools Reference Guide:
 *         "Service-specific endpoints"
 */

#include "cli/up/runtime.h"

/* What it has over ours; freed with words_free. */
char **worker_environment(const struct runtime_plan *p);

#endif
