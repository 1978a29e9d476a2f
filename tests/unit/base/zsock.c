#include "base/zsock.h"

#include "base/clock.h"

#include "capture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MANY = 200000 };

static struct loop *loop;
static void *zctx;
static int got, ticks, ups, downs;
static char last[64];
static char from_id[64];
static size_t from_n;

static void start(void)
{
	loop = loop_new();
	zctx = zmq_ctx_new();
}

static void end(void)
{
	loop_free(loop);
	zmq_ctx_term(zctx);
}

TestSuite(zsock, .init = start, .fini = end, .timeout = 60);

static void on_message(void *arg, struct span from, zmq_msg_t *body)
{
	(void)arg;
	got++;
	snprintf(last, sizeof last, "%.*s", (int)zmq_msg_size(body),
		 (const char *)zmq_msg_data(body));
	from_n = from.n < sizeof from_id ? from.n : 0;
	if (from_n)
		memcpy(from_id, from.p, from_n);
}

static void on_message_stop(void *arg, struct span from, zmq_msg_t *body)
{
	on_message(arg, from, body);
	loop_stop(loop);
}

static void on_link(void *arg, bool up)
{
	(void)arg;
	ups += up;
	downs += !up;
	loop_stop(loop);
}

static enum err send_text(struct zsock *z, struct span to, const char *text)
{
	zmq_msg_t m;

	zmq_msg_init_size(&m, strlen(text));
	memcpy(zmq_msg_data(&m), text, strlen(text));
	return zsock_send(z, to, &m);
}

static struct zsock *bound(int type, zsock_fn *fn)
{
	struct zsock *z = zsock_new(loop, zctx, type, fn, NULL);

	cr_assert(eq(int, zsock_bind(z, "tcp://127.0.0.1:*"), OK));
	return z;
}

/* A socket whose link is up. */
static struct zsock *connected(const char *endpoint)
{
	struct zsock *z = zsock_new(loop, zctx, ZMQ_DEALER, on_message_stop, NULL);

	zsock_watch(z, on_link);
	cr_assert(eq(int, zsock_connect(z, endpoint), OK));
	loop_run(loop);
	cr_assert(eq(int, ups, 1));
	return z;
}

static void *raw_socket(int type, const char *endpoint)
{
	void *raw = zmq_socket(zctx, type);
	int zero = 0, hwm = MANY;

	zmq_setsockopt(raw, ZMQ_LINGER, &zero, sizeof zero);
	zmq_setsockopt(raw, ZMQ_SNDHWM, &hwm, sizeof hwm);
	zmq_setsockopt(raw, ZMQ_RCVHWM, &hwm, sizeof hwm);
	cr_assert(eq(int, zmq_connect(raw, endpoint), 0));
	return raw;
}

static struct timer *ticker;
static int before, most;

/* A timer of each turn; most is how many messages came between two of them. */
static void on_tick(void *arg)
{
	(void)arg;
	ticks++;
	if (got - before > most)
		most = got - before;
	before = got;
	timer_after(ticker, 0);
}

static void on_many(void *arg, struct span from, zmq_msg_t *body)
{
	(void)arg;
	(void)from;
	(void)body;
	if (++got == MANY)
		loop_stop(loop);
}

/*
 * An adapter that receives one message for one event gets one of 200,000, and one that
 * receives until there is nothing left lets no timer fire meanwhile.
 */
Test(zsock, all_of_200000_queued_messages_are_taken_while_timers_go_on_firing)
{
	struct zsock *z = zsock_new(loop, zctx, ZMQ_DEALER, on_many, NULL);

	cr_assert(eq(int, zsock_bind(z, "inproc://many"), OK));

	void *raw = raw_socket(ZMQ_DEALER, "inproc://many");

	for (int i = 0; i < MANY; i++)
		cr_assert(zmq_send(raw, "x", 1, ZMQ_DONTWAIT) == 1);
	ticker = timer_new(loop, on_tick, NULL);
	timer_after(ticker, 0);

	int64_t begin = clock_ms();

	loop_run(loop);

	int64_t took = clock_ms() - begin;

	cr_assert(eq(int, got, MANY));
	cr_assert(lt(i64, took, 10000));
	/* A turn may serve both the descriptor and the timer that comes back. */
	cr_assert(le(int, most, 512));
	cr_assert(ge(int, ticks, MANY / 512));
	timer_free(ticker);
	zsock_free(z);
	zmq_close(raw);
}

Test(zsock, a_router_answers_the_dealer_that_spoke)
{
	struct zsock *router = bound(ZMQ_ROUTER, on_message_stop);
	struct zsock *dealer = connected(zsock_endpoint(router));

	cr_assert(eq(int, send_text(dealer, (struct span){0}, "question"), OK));
	loop_run(loop);
	cr_assert(eq(str, last, "question"));
	cr_assert(gt(sz, from_n, 0));
	cr_assert(eq(int, send_text(router, span_of(from_id, from_n), "answer"), OK));
	loop_run(loop);
	cr_assert(eq(str, last, "answer"));
	cr_assert(eq(sz, from_n, 0));
	zsock_free(dealer);
	zsock_free(router);
}

Test(zsock, a_router_says_that_there_is_no_such_peer)
{
	struct zsock *router = bound(ZMQ_ROUTER, on_message);

	cr_assert(eq(int, send_text(router, span_str("nobody"), "x"), ERR_DOWN));
	cr_assert(eq(int, send_text(router, (struct span){0}, "x"), ERR_DOWN));
	zsock_free(router);
}

Test(zsock, a_message_before_the_link_is_up_is_refused_and_not_lost)
{
	struct zsock *router = bound(ZMQ_ROUTER, on_message_stop);
	struct zsock *dealer = zsock_new(loop, zctx, ZMQ_DEALER, on_message, NULL);

	zsock_watch(dealer, on_link);
	cr_assert(eq(int, send_text(dealer, (struct span){0}, "early"), ERR_DOWN));
	cr_assert(eq(int, zsock_connect(dealer, zsock_endpoint(router)), OK));
	loop_run(loop);
	cr_assert(eq(int, ups, 1));
	cr_assert(eq(int, send_text(dealer, (struct span){0}, "in time"), OK));
	loop_run(loop);
	cr_assert(eq(str, last, "in time"));
	cr_assert(eq(int, got, 1));
	zsock_free(dealer);
	zsock_free(router);
}

Test(zsock, a_full_queue_is_busy)
{
	struct zsock *pair = zsock_new(loop, zctx, ZMQ_DEALER, on_message, NULL);
	enum err e = OK;

	cr_assert(eq(int, zsock_bind(pair, "inproc://full"), OK));

	void *raw = raw_socket(ZMQ_DEALER, "inproc://full"); /* and never receives */

	for (int i = 0; i < 1000000 && e == OK; i++)
		e = send_text(pair, (struct span){0}, "x");
	cr_assert(eq(int, e, ERR_BUSY));
	zsock_free(pair);
	zmq_close(raw);
}

static void expect_down(const char *endpoint)
{
	struct zsock *z = zsock_new(loop, zctx, ZMQ_DEALER, on_message, NULL);

	ups = downs = 0;
	zsock_watch(z, on_link);
	cr_assert(eq(int, zsock_connect(z, endpoint), OK));
	loop_run(loop);
	cr_assert(eq(int, ups, 0), "%s", endpoint);
	cr_assert(eq(int, downs, 1), "%s", endpoint);
	zsock_free(z);
}

Test(zsock, a_connect_that_is_refused_is_reported)
{
	struct zsock *gone = bound(ZMQ_ROUTER, on_message);
	char endpoint[64];

	snprintf(endpoint, sizeof endpoint, "%s", zsock_endpoint(gone));
	zsock_free(gone);
	expect_down("ipc:///nonexistent/broker.sock");
	expect_down("tcp://127.0.0.1:1");
}

/* Another process's router: says where it is, answers once, and waits for its death. */
static _Noreturn void be_peer(int out)
{
	void *ctx = zmq_ctx_new();
	void *router = zmq_socket(ctx, ZMQ_ROUTER);
	char endpoint[64], id[64], body[64];
	size_t n = sizeof endpoint;

	zmq_bind(router, "tcp://127.0.0.1:*");
	zmq_getsockopt(router, ZMQ_LAST_ENDPOINT, endpoint, &n);
	if (write(out, endpoint, n) != (ssize_t)n)
		_exit(1);

	int id_n = zmq_recv(router, id, sizeof id, 0);

	zmq_recv(router, body, sizeof body, 0);
	zmq_send(router, id, (size_t)id_n, ZMQ_SNDMORE);
	zmq_send(router, "answer", 6, 0);
	for (;;)
		pause();
}

static pid_t peer_start(char endpoint[64])
{
	int ends[2];

	cr_assert(eq(int, pipe(ends), 0));

	pid_t pid = fork();

	cr_assert(ne(int, pid, -1));
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		be_peer(ends[1]);
	}
	cr_assert(gt(int, (int)read(ends[0], endpoint, 64), 0));
	close(ends[0]);
	close(ends[1]);
	return pid;
}

Test(zsock, a_peer_that_is_killed_is_seen_as_down_after_its_last_message)
{
	char endpoint[64];
	pid_t pid = peer_start(endpoint);
	struct zsock *dealer = connected(endpoint);

	send_text(dealer, (struct span){0}, "question");
	loop_run(loop);
	cr_assert(eq(str, last, "answer"));
	cr_assert(eq(int, downs, 0));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	loop_run(loop);
	cr_assert(eq(int, downs, 1));
	cr_assert(eq(int, send_text(dealer, (struct span){0}, "late"), ERR_DOWN));
	zsock_free(dealer);
}

Test(zsock, a_peer_whose_host_falls_silent_is_seen_as_down)
{
	char endpoint[64];
	pid_t pid = peer_start(endpoint);
	struct zsock *dealer = zsock_new(loop, zctx, ZMQ_DEALER, on_message, NULL);

	zsock_silence(dealer, 2000);
	zsock_watch(dealer, on_link);
	cr_assert(eq(int, zsock_connect(dealer, endpoint), OK));
	loop_run(loop);
	cr_assert(eq(int, ups, 1));
	kill(pid, SIGSTOP);
	loop_run(loop);
	cr_assert(eq(int, downs, 1));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	zsock_free(dealer);
}

/*
 * Another process that connects, and says nothing. It is forked before ZeroMQ has threads here: one
 * of them might hold a lock of malloc's, which the child would wait for until the test timed out.
 */
struct guest {
	pid_t pid;
	int endpoint; /* where it reads that from */
};

static struct guest guest_start(void)
{
	int ends[2];
	pid_t pid;

	cr_assert(eq(int, pipe(ends), 0));
	pid = fork();
	cr_assert(ne(int, pid, -1));
	if (pid == 0) {
		char endpoint[256] = {0};
		void *ctx;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (read(ends[0], endpoint, sizeof endpoint - 1) <= 0)
			_exit(1);
		ctx = zmq_ctx_new();
		zmq_connect(zmq_socket(ctx, ZMQ_DEALER), endpoint);
		for (;;)
			pause();
	}
	close(ends[0]);
	return (struct guest){pid, ends[1]};
}

static void guest_connect(struct guest *g, const char *endpoint)
{
	cr_assert(gt(int, (int)write(g->endpoint, endpoint, strlen(endpoint)), 0));
	close(g->endpoint);
}

static void guest_end(struct guest *g)
{
	kill(g->pid, SIGKILL);
	waitpid(g->pid, NULL, 0);
}

struct expectation {
	struct zsock *z;
	int64_t peers;
};

static void look_at_peers(void *arg)
{
	const struct expectation *e = arg;

	if (zsock_peers(e->z) == e->peers)
		loop_stop(loop);
}

static void wait_for_peers(struct zsock *z, int64_t peers)
{
	struct expectation e = {z, peers};
	struct timer *often = timer_new(loop, look_at_peers, &e);

	timer_every(often, 5);
	loop_run(loop);
	timer_free(often);
}

Test(zsock, peers_that_say_nothing_are_counted_and_let_go_when_their_host_falls_silent)
{
	struct guest killed = guest_start(), stopped = guest_start();
	struct zsock *router = zsock_new(loop, zctx, ZMQ_ROUTER, on_message, NULL);

	zsock_silence(router, 2000);
	cr_assert(eq(int, zsock_bind(router, "tcp://127.0.0.1:*"), OK));
	cr_assert(eq(i64, zsock_peers(router), 0));
	guest_connect(&killed, zsock_endpoint(router));
	guest_connect(&stopped, zsock_endpoint(router));
	wait_for_peers(router, 2);
	guest_end(&killed);
	wait_for_peers(router, 1);
	kill(stopped.pid, SIGSTOP);
	wait_for_peers(router, 0);
	guest_end(&stopped);
	zsock_free(router);
}

Test(zsock, a_message_with_the_wrong_number_of_parts_is_dropped_and_the_next_is_taken)
{
	struct capture *c = capture_start(STDERR_FILENO);
	struct zsock *router = bound(ZMQ_ROUTER, on_message_stop);
	void *raw = raw_socket(ZMQ_DEALER, zsock_endpoint(router));

	zmq_send(raw, "one", 3, ZMQ_SNDMORE);
	zmq_send(raw, "two", 3, ZMQ_SNDMORE);
	zmq_send(raw, "three", 5, 0);
	zmq_send(raw, "good", 4, 0);
	loop_run(loop);

	char *lines = capture_end(c);

	cr_assert(eq(str, last, "good"));
	cr_assert(eq(int, got, 1));
	cr_assert(strstr(lines, "zsock.parts") != NULL);
	free(lines);
	zsock_free(router);
	zmq_close(raw);
}

Test(zsock, bad_endpoints_are_named_as_such)
{
	struct zsock *first = bound(ZMQ_ROUTER, on_message);
	struct zsock *z = zsock_new(loop, zctx, ZMQ_ROUTER, on_message, NULL);

	cr_assert(eq(int, zsock_bind(z, "nonsense"), ERR_MALFORMED));
	cr_assert(eq(int, zsock_bind(z, "http://127.0.0.1:80"), ERR_MALFORMED));
	cr_assert(eq(int, zsock_bind(z, "tcp://127.0.0.1:99999"), ERR_MALFORMED));
	cr_assert(eq(int, zsock_bind(z, "tcp://127.0.0.1"), ERR_MALFORMED));
	cr_assert(eq(int, zsock_connect(z, "tcp://127.0.0.1:port"), ERR_MALFORMED));
	cr_assert(eq(int, zsock_connect(z, "nonsense"), ERR_MALFORMED));
	cr_assert(eq(int, zsock_bind(z, zsock_endpoint(first)), ERR_BUSY));
	cr_assert(eq(int, zsock_bind(z, "ipc:///nonexistent/broker.sock"), ERR_BUSY));
	zsock_free(z);
	zsock_free(first);
	zsock_free(NULL);
}

/* Batches that are larger than what the kernel takes at once, and a process that ends. */
Test(zsock, what_was_sent_before_the_end_arrives_when_it_lingers)
{
	struct zsock *server = bound(ZMQ_ROUTER, on_message);
	struct zsock *client = connected(zsock_endpoint(server));
	int64_t until;

	for (int i = 0; i < 20; i++) {
		zmq_msg_t m;

		zmq_msg_init_size(&m, 4 << 20);
		memset(zmq_msg_data(&m), 'x', zmq_msg_size(&m));
		cr_assert(eq(int, zsock_send(client, (struct span){0}, &m), OK));
	}
	zsock_linger(client, 20000);
	zsock_free(client);
	until = clock_ms() + 20000;
	while (got < 20 && clock_ms() < until)
		event_base_loop(loop_base(loop), EVLOOP_ONCE | EVLOOP_NONBLOCK);
	zsock_free(server);
	cr_assert(eq(int, got, 20));
}

Test(zsock, an_address_is_told_as_everybody_calls_it)
{
	struct zsock *z = bound(ZMQ_ROUTER, on_message);

	cr_assert(eq(int, strncmp(zsock_endpoint(z), "tcp://127.0.0.1:", 16), 0), "%s",
		  zsock_endpoint(z));
	zsock_free(z);
}

static void on_alarm(int signal_number)
{
	(void)signal_number;
}

/* SIGTERM in the middle of a send was taken for a peer that takes nothing, and ended the link. */
Test(zsock, signals_lose_no_message_and_fail_no_send)
{
	struct sigaction on = {.sa_handler = on_alarm};
	struct itimerval often = {{0, 50}, {0, 50}}, never = {{0, 0}, {0, 0}};
	struct zsock *router = bound(ZMQ_ROUTER, on_message_stop);
	struct zsock *dealer = connected(zsock_endpoint(router));

	sigaction(SIGALRM, &on, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 3000; i++) {
		cr_assert(eq(int, send_text(dealer, (struct span){0}, "x"), OK), "%d", i);
		loop_run(loop);
		cr_assert(eq(int, got, i + 1));
	}
	setitimer(ITIMER_REAL, &never, NULL);
	zsock_free(dealer);
	zsock_free(router);
}
