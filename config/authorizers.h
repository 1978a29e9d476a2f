#ifndef CONFIG_AUTHORIZERS_H
#define CONFIG_AUTHORIZERS_H

/*
 * The authorizer of a connection: what `authorizer:` of a $connect event names.
 *
 *   authorizer: NAME                          a function of the file, or one of gatepost.authorizers
 *   authorizer: arn:aws:lambda:…:NAME         when NAME is a function of the file
 *   authorizer: { name: NAME, identitySource: [route.request.header.Auth] }
 */

#include "config/value.h"

/* Read `authorizer`; its index into the configuration's, or CONFIG_NONE after an error line. */
int authorizers_read(struct reading *r, const struct value *v);

/* The JWT authorizer that v names; CONFIG_NONE after an error line. */
int authorizers_find_jwt(struct reading *r, const struct value *v);

/* Takes what a owns. Returns its index. */
int authorizers_add(struct config *c, struct config_authorizer a);

/* Free what a owns. */
void authorizers_close(struct config_authorizer *a);

/* Take out those that no route and no namespace names. */
void authorizers_trim(struct reading *r);

#endif
