#ifndef AWS_SIGV4_CANONICAL_H
#define AWS_SIGV4_CANONICAL_H

/* What the files of sigv4 share: the canonical request, of which nothing but the hash is ever in memory. */

#include "aws/sha256.h"
#include "aws/sigv4.h"

enum { SIGV4_HASH = SHA256_DIGEST_LENGTH };

/* What of a canonical request does not stand in the request. */
struct sigv4_form {
	struct span
		signed_headers; /* "host;x-amz-date"; one that is not there counts as empty */
	struct span payload; /* what stands for the body */
	bool in_query;       /* the signature is in the query, and not part of it */
};

/* The hash of the canonical request, in hex. */
void sigv4_hash(const struct sigv4_request *r, const struct sigv4_form *form,
		char out[SIGV4_HEX + 1]);

/* What comes before the next `at`; *rest goes behind it. All of it, and nothing, when there is none. */
struct span sigv4_cut(struct span *rest, uint8_t at);

/* The next byte of a part of a query, decoded; in goes behind it. What is no %XX stands for itself. */
uint8_t sigv4_decode(struct span *in);

/* Is it a header's name, whatever its case? lower: as it stands in the list of signed headers. */
bool sigv4_is_named(struct span name, struct span lower);

#endif
