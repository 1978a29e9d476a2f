#ifndef AWS_CREDENTIALS_H
#define AWS_CREDENTIALS_H

/*
 * The credentials for the management API: key pairs that sign requests, and bearer tokens. In
 * the form of ~/.aws/credentials, a section for each caller:
 *
 *   # comment
 *   [chat-functions]
 *   aws_access_key_id = GPEXAMPLE1
 *   aws_secret_access_key = …
 *
 *   [operators]
 *   token = …
 *
 * A section may have both, and `function = NAME`: the key is that of a function's workers. Its name identifies the caller in logs; secrets are never in a log.
 */

#include "base/err.h"
#include "base/span.h"

struct credentials;

struct credential {
	char *name;   /* of the section */
	char *key_id; /* NULL: it has no key pair */
	char *secret;
	char *function; /* NULL: it is nobody's of those */
	bool has_token;
	uint8_t token_hash[32];
};

/*
 * Read the text of such a file.
 *
 * why      gets a sentence, with the line's number and without secrets, of at most n bytes
 * returns  OK; ERR_MALFORMED: *out is NULL
 */
must_use enum err credentials_parse(struct span text, struct credentials **out, char *why,
				    size_t n);
void credentials_free(struct credentials *c); /* NULL is fine; wipes the secrets */

size_t credentials_count(const struct credentials *c);

/* The caller with this key; NULL if it is unknown. */
const struct credential *credentials_of_key(const struct credentials *c, struct span id);

/* The caller with this token; NULL if it is unknown. Takes the same time for any wrong token. */
const struct credential *credentials_of_token(const struct credentials *c,
					      struct span token);

#endif
