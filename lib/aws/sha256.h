#ifndef AWS_SHA256_H
#define AWS_SHA256_H

/*
 * SHA-256 and its HMAC for signatures, in memory of the caller. libcrypto's own functions for
 * it: EVP_Digest and HMAC look the algorithm up each time, which takes several times as long as
 * the hash of a short text.
 */

#include "base/span.h"

#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

enum { SHA256_HEX = 2 * SHA256_DIGEST_LENGTH };

struct sha256 {
	SHA256_CTX state;
};

void sha256_begin(struct sha256 *h);
void sha256_add(struct sha256 *h, struct span s); /* no bytes are fine */
void sha256_end(struct sha256 *h, uint8_t out[SHA256_DIGEST_LENGTH]);

void sha256_of(struct span in, uint8_t out[SHA256_DIGEST_LENGTH]);

/* RFC 2104; out may be the key's memory. */
void sha256_hmac(struct span key, struct span text, uint8_t out[SHA256_DIGEST_LENGTH]);

/* In lower case, and a NUL. */
void sha256_hex(const uint8_t in[SHA256_DIGEST_LENGTH], char out[SHA256_HEX + 1]);

#endif
