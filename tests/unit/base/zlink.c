#include "base/zlink.h"

#include "base/address.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <unistd.h>
#include <zmq.h>

static struct loop *loop;
static int ups, downs;

static void on_link(void *arg, bool up)
{
	(void)arg;
	ups += up;
	downs += !up;
	loop_stop(loop);
}

/* The kernel accepts for the listener, and nobody ever answers the handshake. */
Test(zlink, a_peer_that_stays_silent_is_down_after_the_deadline, .timeout = 10)
{
	struct address a, at;
	char text[ADDRESS_TEXT], endpoint[ADDRESS_TEXT + 8];

	cr_assert(eq(int, address_parse("127.0.0.1:0", &a), OK));

	int fd = address_listen(&a, false, &at);
	void *zctx = zmq_ctx_new();
	void *zmq = zmq_socket(zctx, ZMQ_DEALER);

	snprintf(endpoint, sizeof endpoint, "tcp://%s",
		 address_text((const struct sockaddr *)&at.sa, text));
	loop = loop_new();

	struct zlink *k = zlink_new(loop, zctx, zmq, on_link, NULL);

	zmq_connect(zmq, endpoint);
	zlink_connecting(k, 50);
	loop_run(loop);
	cr_assert(eq(int, ups, 0));
	cr_assert(eq(int, downs, 1));
	cr_assert(not(zlink_is_up(k)));
	zlink_free(k);
	zmq_close(zmq);
	zmq_ctx_term(zctx);
	loop_free(loop);
	close(fd);
}
