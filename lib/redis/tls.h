#ifndef REDIS_TLS_H
#define REDIS_TLS_H

/*
 * TLS to Redis: version 1.2 or later, and the chain and the name of the certificate are
 * verified always. The files are read for each connection, so that new ones (a
 * certificate that was renewed) need no restart.
 */

#include "base/err.h"
#include "redis/end.h"

#include <event2/bufferevent.h>
#include <stdbool.h>

struct ssl_st; /* <openssl/ssl.h> */

struct redis_tls {
	const char *ca;         /* PEM; NULL: whom the system trusts */
	const char *cert, *key; /* PEM, ours; NULL: Redis asks for none */
};

/* Can the files be read, do they fit together? Else why has the file. */
must_use bool redis_tls_check(const struct redis_tls *conf, struct redis_end *why);

/*
 * The client's side of one connection.
 *
 * host     a name, or an address in digits: the name that the certificate must have
 * returns  for bufferevent_openssl_socket_new; NULL, and why
 */
must_use struct ssl_st *redis_tls_new(const struct redis_tls *conf, const char *host,
				      struct redis_end *why);

/* Did TLS itself end this connection (what: the bufferevent's)? Then out has the reason. */
bool redis_tls_why(struct bufferevent *bev, short what, struct redis_end *out);

#endif
