#ifndef TESTS_UNIT_FAKES_FAKE_ROUTER_H
#define TESTS_UNIT_FAKES_FAKE_ROUTER_H

/* In place of base/zsock.c: one ROUTER without a wire, and edges at its other end by their routing ids. */

#include "base/zsock.h"

#include <proto/gatepost.pb-c.h>

/* This message has come from the edge of this routing id. */
void fake_router_receive(const char *from, zmq_msg_t *m);

/* What has been sent to that edge and was not read yet, in order; NULL: nothing. Lives until fake_router_close. */
const Gatepost__Item *fake_router_read(const char *to);

/* How often something was sent to it, heartbeats too. */
size_t fake_router_sent(const char *to);

/* What each send to this edge gives from now on. NULL: to all. */
void fake_router_fail(const char *to, enum err e);

/* zsock_bind fails. */
void fake_router_bind_fails(void);

void fake_router_close(void);

#endif
