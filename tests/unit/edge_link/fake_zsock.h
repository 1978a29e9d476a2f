#ifndef TESTS_UNIT_EDGE_LINK_FAKE_ZSOCK_H
#define TESTS_UNIT_EDGE_LINK_FAKE_ZSOCK_H

/* In place of base/zsock.c: DEALERs without a wire. The broker at the other end is known by its endpoint. */

#include "base/zsock.h"

#include <proto/gatepost.pb-c.h>

/* Is there a socket that connects to this endpoint, or is connected? */
bool fake_zsock_exists(const char *endpoint);

/* How many sockets there have been for it. */
size_t fake_zsock_made(const char *endpoint);

/* The transport under the socket connects, or ends. */
void fake_zsock_transport(const char *endpoint, bool up);

/* This message has come from the broker there; takes m. */
void fake_zsock_receive(const char *endpoint, zmq_msg_t *m);

/* What was sent there and was not read yet, in order; NULL: nothing. Lives until fake_zsock_close. */
const Gatepost__Item *fake_zsock_read(const char *endpoint);

/* The header of the message that was sent there last; NULL: none was. */
const Gatepost__Envelope *fake_zsock_last(const char *endpoint);

/* How often something was sent there, heartbeats too. */
size_t fake_zsock_sent(const char *endpoint);

/* What each send there gives from now on; unless that is OK, the message is lost. */
void fake_zsock_fail(const char *endpoint, enum err e);

/* From now on zsock_connect gives this for the endpoint. */
void fake_zsock_connect_fails(const char *endpoint, enum err e);

/* The linger that the socket was given last, in milliseconds; 0: none. */
int fake_zsock_linger(const char *endpoint);

void fake_zsock_close(void);

#endif
