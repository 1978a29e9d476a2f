#ifndef CONFIG_JWT_AUTHORIZER_H
#define CONFIG_JWT_AUTHORIZER_H

/* An authorizer that needs no function: it checks a JSON Web Token by itself. */

#include "config/value.h"

/* Read one of gatepost.authorizers, and add it to the configuration's. */
void jwt_authorizer_read(struct reading *r, const struct value *v);

/* Read algorithm, and key or keyFile, of v into a. */
void jwt_authorizer_read_key(struct reading *r, const struct value *v,
			     struct config_authorizer *a);

#endif
