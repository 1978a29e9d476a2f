#ifndef AWS_SIGV4_H
#define AWS_SIGV4_H

/*
 * AWS Signature Version 4 of HTTP requests: the signature that a request should have,
 * to verify and to make signatures. Pure: no sockets, no clock.
 *
 *   verify   sigv4_read → sigv4_age → (find the secret) → sigv4_check
 *   sign     sigv4_sign
 *
 * source  "Authenticating Requests (AWS Signature Version 4)": the signature in the
 *         Authorization header, and in the query ("presigned")
 */

#include "base/err.h"
#include "base/span.h"

struct sigv4_header {
	struct span name, value;
};

/* A request as it is on the wire; all borrowed. */
struct sigv4_request {
	struct span method;
	struct span path;  /* before the '?', not decoded */
	struct span query; /* behind it; may be empty */
	const struct sigv4_header *headers;
	size_t n_headers;
	struct span body;
};

enum {
	SIGV4_HEX = 64,             /* characters of a signature */
	SIGV4_SKEW_S = 15 * 60,     /* a clock may be off by so much */
	SIGV4_EXPIRES_MOST = 604800 /* seconds that a presigned request may live */
};

/* The parts of a request's signature. Points into the request, and into its own text. */
struct sigv4 {
	struct span key_id;
	struct span scope; /* 20261122/eu-central-1/execute-api/aws4_request */
	struct span date, region, service;
	struct span time; /* 20261122T103104Z */
	struct span signed_headers;
	struct span signature;
	struct span payload; /* x-amz-content-sha256; no bytes: there is none */
	int64_t time_s;      /* since 1970 */
	int64_t expires_s;   /* presigned: the seconds of its life; else 0 */
	bool in_query;
	char text[1024]; /* presigned: what was decoded */
};

/*
 * Find the signature.
 *
 * out      filled on OK; do not copy it, it points into itself
 * why      set on ERR_MALFORMED: a sentence
 * returns  OK; ERR_NOTFOUND: the request is not signed; ERR_MALFORMED: it tries to be
 */
must_use enum err sigv4_read(const struct sigv4_request *r, struct sigv4 *out,
			     const char **why);

/* ERR_DENIED, with a sentence in why (of n bytes), when it is from the past or the future. */
must_use enum err sigv4_age(const struct sigv4 *s, int64_t now_s, char *why, size_t n);

/* Is this the signature that the secret makes? ERR_DENIED: it is not, or the body is another. */
must_use enum err sigv4_check(const struct sigv4_request *r, const struct sigv4 *s,
			      const char *secret);

/* The key pair, and the scope of the signature. */
struct sigv4_key {
	const char *id, *secret, *region, *service;
};

enum { SIGV4_TIME = 17, SIGV4_AUTHORIZATION = 512 };

/* "20261122T103104Z" into out; returns out. */
const char *sigv4_time(int64_t now_s, char out[SIGV4_TIME]);

/*
 * The value of the Authorization header. All of r's headers are signed: Host and X-Amz-Date
 * (its value is `time`) are among them, in lower case and sorted by name.
 *
 * returns  ERR_TOOBIG when it does not fit into out
 */
must_use enum err sigv4_sign(const struct sigv4_request *r, const struct sigv4_key *k,
			     const char time[SIGV4_TIME], char out[SIGV4_AUTHORIZATION]);

#endif
