#ifndef BROKER_CHANNELS_CLIENT_ACCESS_H
#define BROKER_CHANNELS_CLIENT_ACCESS_H

/*
 * May this client subscribe to a channel, or publish there? As the namespace's rule says; and a channel
 * whose name has a '#' is for the users alone that are listed behind it: "user:#7", "dialog:x#7,9".
 */

#include "broker/channels/delivery/failure.h"
#include "broker/channels/client/token.h"
#include "config/channels.h"

/* All of it is borrowed until the call returns. */
struct access_request {
	const struct channel_access *rule;
	struct span channel;
	struct span user; /* empty: anonymous */
	struct span
		authorizer; /* what the authorizer said of the client, a JSON object; empty: there was none */
	const struct authorizer *tokens; /* of the namespace; NULL: it has none */
	struct span token;               /* empty: the client gave none */
	int64_t now_ms;                  /* since 1970 */
};

struct access {
	enum access_verdict {
		ACCESS_ALLOWED,
		ACCESS_REFUSED,
		ACCESS_ASK, /* the rule's function decides */
	} verdict;
	struct failure failure; /* REFUSED */
	int64_t expires_ms; /* ALLOWED: since 1970, when its token expires; 0: never */
	char *info; /* JSON: what its token says of it; NULL: nothing; freed by the caller */
};

void access_check(const struct access_request *q, struct access *out);

/* Is this one of the users that the channel is for? True for a channel without a list. */
bool access_is_listed(struct span channel, struct span user);

#endif
