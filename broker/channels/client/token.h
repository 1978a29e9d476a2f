#ifndef BROKER_CHANNELS_CLIENT_TOKEN_H
#define BROKER_CHANNELS_CLIENT_TOKEN_H

/*
 * A token that names channels: a JWT with the claim channel (one name) or channels (a list of them),
 * and perhaps exp and info. It is checked like the token of a JWT authorizer.
 */

#include "broker/auth/authorizer.h"

struct channel_token {
	int64_t expires_ms; /* since 1970, exp and the leeway of a minute; 0: never */
	char *info; /* JSON of the claim info, freed by the caller; NULL: there is none */
};

/*
 * Does the token name this channel?
 *
 * a        of the namespace, a JWT authorizer
 * now_ms   since 1970
 * returns  NULL; else why not, a sentence for the client
 */
const char *channel_token_check(const struct authorizer *a, struct span token,
				struct span channel, int64_t now_ms,
				struct channel_token *out);

#endif
