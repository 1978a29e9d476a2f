#ifndef BROKER_AUTH_IDENTITY_H
#define BROKER_AUTH_IDENTITY_H

/*
 * Where a caller's identity is in the upgrade request:
 *
 *   route.request.header.NAME        of Authorization the part after "Bearer "
 *   route.request.querystring.NAME   decoded
 *   route.request.cookie.NAME        ours
 *   route.request.subprotocol        ours: the offered subprotocol that follows "bearer"
 *
 * source  AWS: "Create an API Gateway Lambda authorizer", identity sources
 */

#include "base/span.h"

#include <proto/gatepost.pb-c.h>

/* Is it a source of one of these forms? */
bool identity_is_source(const char *source);

/* The identity, not empty, freed by the caller; NULL: none. */
char *identity_find(const Gatepost__Request *q, const char *source);

#endif
