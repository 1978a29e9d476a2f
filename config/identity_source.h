#ifndef CONFIG_IDENTITY_SOURCE_H
#define CONFIG_IDENTITY_SOURCE_H

/*
 * Where an authorizer finds the identity of a client:
 *
 *   route.request.header.NAME        route.request.querystring.NAME
 *   route.request.cookie.NAME        route.request.subprotocol           (these two: ours)
 */

#include "config/value.h"

/* The list, or the one text, identitySource of from into a; without one, fallback. */
void identity_source_read(struct reading *r, const struct value *from,
			  const char *fallback, struct config_authorizer *a);

#endif
