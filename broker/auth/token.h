#ifndef BROKER_AUTH_TOKEN_H
#define BROKER_AUTH_TOKEN_H

/* JSON Web Tokens: signature, issuer, audience and times. RFC 7519, RFC 7515. */

#include "base/err.h"
#include "base/span.h"
#include "config/config.h"

struct token_key;

/*
 * The key of config. HS256: at least 32 bytes, of a file without the line end, which nobody
 * but its owner may read (secret_file.h); else a public key in PEM, RSA of at least 2048 bits.
 * NULL after an error line.
 */
struct token_key *token_key_new(const struct config_authorizer *config);
void token_key_free(struct token_key *k); /* NULL is fine */

struct token_claims {
	char *json;         /* all claims, as a JSON object; freed by the caller */
	char *subject;      /* sub; "" when there is none; freed by the caller */
	int64_t expires_ms; /* since 1970, from when it is rejected: exp and 60 s; 0: never */
};

/*
 * Check a token: its algorithm is the configured one, the signature is right, exp is not
 * over (and is there, unless config says otherwise) and nbf has come (other clocks may be 60 s ahead or behind), iss and aud are the
 * configured ones. config is that of the key, and lives as long.
 *
 * why      a sentence for the log, unless OK; it does not contain the token
 * returns  OK; ERR_DENIED: 401
 */
must_use enum err token_check(const struct token_key *k, struct span token,
			      int64_t now_ms, struct token_claims *out, const char **why);

#endif
