/*
 * A guest is one connection, down the page:
 *
 *   on_come     its place: make_room; on_settle: its socket is known, or it is turned away
 *   on_input    bytes of its request: counted, and refused when all hold too much
 *   gate_take   the request is whole; on_output: it is answered, and what of it is read
 *   sweep       who takes too long
 *   reap        who has gone
 *
 * evhttp does not tell when it closes a connection. So the kernel is asked: the descriptor
 * is closed then, or has another socket with another cookie.
 */
#include "broker/api/gate.h"

#include "base/map.h"
#include "base/log.h"
#include "base/mem.h"

#include <assert.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum {
	LISTENERS_MOST = 8,
	SPARE = 64, /* those that were cut, and are not gone yet */
	SWEEP_MS = 1000,
	LINGER_MS = 2000,
	SMALL = 64 * 1024, /* a request may have so much whatever the others hold */
	PAUSE_MS = 20,
};

struct guest {
	LIST_ENTRY(guest) all;
	struct gate *gate;
	struct bufferevent *bev; /* evhttp's; only to be used until it has a socket */
	int fd;                  /* -1: not known yet */
	uint64_t cookie;         /* of its socket */
	size_t bytes;            /* of its request */
	size_t answer;           /* bytes that it has not read yet */
	int64_t since_ms;        /* when it came, was answered, or was cut */
	int64_t begun_ms;        /* when its request did; 0: there is none */
	bool is_asking;          /* its request is being done */
	bool is_unwanted, is_cut;
};

struct gate {
	struct broker *broker;
	struct evhttp *http;
	LIST_HEAD(, guest) guests;
	struct map *by_bev;
	struct evconnlistener *listeners[LISTENERS_MOST];
	size_t n_listeners;
	struct timer *sweep, *settle;
	size_t most;
	size_t n, cut; /* guests; of them, those that only have to go */
	size_t waiting;
	uint64_t held; /* bytes of all guests, and of the answers that are being made */
	int64_t reaped_ms;
	bool is_paused;
	struct {
		struct metric *connections, *requests, *memory, *late, *idle;
	} refused;
};

static struct bufferevent *on_come(struct event_base *base, void *arg);
static void on_settle(void *arg);
static void on_input(struct evbuffer *in, const struct evbuffer_cb_info *of, void *arg);
static void on_output(struct evbuffer *out, const struct evbuffer_cb_info *of, void *arg);
static void sweep(void *arg);
static bool is_gone(const struct guest *k);
static void reap(struct gate *g);
static void forget(struct guest *k);

/* ---- life ---- */

/* Not more than half of the descriptors: edges and functions need some too. */
static size_t most_connections(int64_t wanted)
{
	struct rlimit limit;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur / 2 < (rlim_t)wanted ? limit.rlim_cur / 2 : (size_t)wanted;
}

static int64_t ask_connections(void *arg)
{
	reap(arg);
	return (int64_t)((struct gate *)arg)->n;
}

static int64_t ask_waiting(void *arg)
{
	return (int64_t)((struct gate *)arg)->waiting;
}

static int64_t ask_held(void *arg)
{
	return (int64_t)((struct gate *)arg)->held;
}

static struct metric *refused(struct gate *g, const char *labels)
{
	return metric_counter(g->broker->metrics,
			      "gatepost_broker_management_refused_total", labels,
			      "What the management API refused or closed at its limits");
}

static void count(struct gate *g)
{
	struct metrics *m = g->broker->metrics;

	metric_asked_gauge(m, "gatepost_broker_management_connections", NULL,
			   "Connections to the management API", ask_connections, g);
	metric_asked_gauge(m, "gatepost_broker_management_requests", NULL,
			   "Its requests that wait for an edge or the store", ask_waiting,
			   g);
	metric_asked_gauge(
		m, "gatepost_broker_management_bytes", NULL,
		"Bytes of its requests, and of answers that nobody has read yet",
		ask_held, g);
	g->refused.connections = refused(g, "why=\"connections\"");
	g->refused.requests = refused(g, "why=\"requests\"");
	g->refused.memory = refused(g, "why=\"memory\"");
	g->refused.late = refused(g, "why=\"late\"");
	g->refused.idle = refused(g, "why=\"idle\"");
}

struct gate *gate_new(struct broker *b, struct evhttp *http)
{
	struct gate *g = xcalloc(1, sizeof *g);

	g->broker = b;
	g->http = http;
	g->by_bev = map_new();
	g->most = most_connections(b->conf.management_connections);
	g->sweep = timer_new(b->loop, sweep, g);
	g->settle = timer_new(b->loop, on_settle, g);
	timer_every(g->sweep, SWEEP_MS);
	count(g);
	evhttp_set_bevcb(http, on_come, g);
	return g;
}

void gate_close(struct gate *g)
{
	struct guest *k;

	if (g == NULL)
		return;
	g->n_listeners = 0; /* evhttp has freed them */
	while ((k = LIST_FIRST(&g->guests)) != NULL)
		forget(k);
	timer_free(g->sweep);
	timer_free(g->settle);
	map_free(g->by_bev);
	free(g);
}

bool gate_listen(struct gate *g, int fd)
{
	struct evhttp_bound_socket *s;

	assert(g->n_listeners < LISTENERS_MOST);
	s = evhttp_accept_socket_with_handle(g->http, fd);
	if (s != NULL)
		g->listeners[g->n_listeners++] = evhttp_bound_socket_get_listener(s);
	return s != NULL;
}

/* ---- coming and going ---- */

static void pause_when_full(struct gate *g)
{
	bool full = g->n >= g->most + SPARE;

	if (full == g->is_paused)
		return;
	g->is_paused = full;
	for (size_t i = 0; i < g->n_listeners; i++)
		if (full)
			evconnlistener_disable(g->listeners[i]);
		else
			evconnlistener_enable(g->listeners[i]);
}

/* evhttp sees its end on a later turn. */
static void cut(struct guest *k, int how)
{
	if (!k->is_cut)
		k->gate->cut++;
	k->is_cut = true;
	k->since_ms = loop_now(k->gate->broker->loop);
	if (!is_gone(k)) /* else it may be another's descriptor */
		shutdown(k->fd, how);
}

/* Our own word, past evhttp, which has not said anything yet. */
static void say(struct guest *k, const char *status, const char *type, const char *why)
{
	char text[512];
	int n = snprintf(text, sizeof text,
			 "HTTP/1.1 %s\r\nContent-Type: application/json\r\n"
			 "x-amzn-ErrorType: %s\r\nContent-Length: %zu\r\n"
			 "Retry-After: 1\r\nConnection: close\r\n\r\n"
			 "{\"message\":\"%s\"}",
			 status, type, strlen(why) + strlen("{\"message\":\"\"}"), why);

	if (!is_gone(k))
		(void)send(k->fd, text, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* One that has had time to ask, and has not; false: all others are being served. */
static bool make_room(struct gate *g)
{
	struct guest *k, *found = NULL;

	for (k = LIST_FIRST(&g->guests); k != NULL; k = LIST_NEXT(k, all))
		if (!k->is_asking && !k->is_cut && k->fd != -1 &&
		    (found == NULL || k->since_ms <= found->since_ms))
			found = k;
	if (found == NULL)
		return false;
	metric_add(g->refused.idle, 1);
	cut(found, SHUT_RDWR);
	return true;
}

static struct span key_of(struct guest *k)
{
	return span_of(&k->bev, sizeof k->bev);
}

static void add(struct gate *g, struct guest *k)
{
	struct guest *old = map_find(g->by_bev, key_of(k));

	if (old != NULL)
		forget(old); /* its bufferevent is no more, since this has its address */
	LIST_INSERT_HEAD(&g->guests, k, all);
	map_put(g->by_bev, key_of(k), k);
	g->n++;
}

static struct bufferevent *on_come(struct event_base *base, void *arg)
{
	struct gate *g = arg;
	struct guest *k = xcalloc(1, sizeof *k);

	k->gate = g;
	k->fd = -1;
	k->since_ms = loop_now(g->broker->loop);
	k->bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	assert(k->bev != NULL);
	evbuffer_add_cb(bufferevent_get_input(k->bev), on_input, k);
	evbuffer_add_cb(bufferevent_get_output(k->bev), on_output, k);
	if (g->n - g->cut >= g->most)
		reap(g);
	k->is_unwanted = g->n - g->cut >= g->most && !make_room(g);
	add(g, k);
	bufferevent_incref(k->bev); /* until it is settled */
	timer_after(g->settle, 0);
	pause_when_full(g);
	return k->bev;
}

/* What it has sent is read, since the kernel would tell of it with a reset. */
static void turn_away(struct guest *k)
{
	char rest[4096];

	log_warn_flood(
		"management.full", I("connections", (int64_t)k->gate->most),
		S("hint",
		  "check the callers; raise --management-connections, or add brokers"));
	metric_add(k->gate->refused.connections, 1);
	say(k, "503 Service Unavailable", "ServiceUnavailableException",
	    "The management API is full: try again");
	(void)recv(k->fd, rest, sizeof rest, MSG_DONTWAIT);
	cut(k, SHUT_RDWR);
}

/* evhttp has set its socket when on_come was over. */
static void settle(struct guest *k)
{
	socklen_t n = sizeof k->cookie;

	k->fd = bufferevent_getfd(k->bev);
	if (k->fd == -1) { /* evhttp did not want it */
		forget(k);
		return;
	}
	getsockopt(k->fd, SOL_SOCKET, SO_COOKIE, &k->cookie, &n);
	if (k->is_unwanted)
		turn_away(k);
	bufferevent_decref(k->bev);
}

static void on_settle(void *arg)
{
	struct gate *g = arg;
	struct guest *k, *next;

	for (k = LIST_FIRST(&g->guests); k != NULL; k = next) {
		next = LIST_NEXT(k, all);
		if (k->fd == -1)
			settle(k);
	}
	if (g->is_paused) {
		reap(g);
		timer_after(g->settle, PAUSE_MS);
	}
}

static bool is_gone(const struct guest *k)
{
	uint64_t cookie = 0;
	socklen_t n = sizeof cookie;

	return k->fd != -1 &&
	       (getsockopt(k->fd, SOL_SOCKET, SO_COOKIE, &cookie, &n) == -1 ||
		cookie != k->cookie);
}

/* Once in a turn is enough. */
static void reap(struct gate *g)
{
	struct guest *k, *next;
	int64_t now = loop_now(g->broker->loop);

	if (now == g->reaped_ms)
		return;
	g->reaped_ms = now;
	for (k = LIST_FIRST(&g->guests); k != NULL; k = next) {
		next = LIST_NEXT(k, all);
		if (is_gone(k))
			forget(k);
	}
	pause_when_full(g);
}

static void forget(struct guest *k)
{
	struct gate *g = k->gate;

	if (k->fd == -1)
		bufferevent_decref(k->bev);
	LIST_REMOVE(k, all);
	map_remove(g->by_bev, key_of(k));
	g->held -= k->bytes + k->answer;
	g->cut -= k->is_cut;
	g->n--;
	free(k);
}

/* ---- requests ---- */

/* The rest is read and forgotten, so that the answer arrives. */
static void refuse(struct guest *k, struct metric *why, const char *status,
		   const char *type, const char *message)
{
	metric_add(why, 1);
	log_info_flood("management.refused", S("status", status), S("why", message));
	say(k, status, type, message);
	cut(k, SHUT_WR);
}

/* Those who have gone hold nothing any more. */
static bool holds_too_much(struct gate *g, size_t own)
{
	uint64_t most = (uint64_t)g->broker->conf.management_memory + own;

	if (g->held > most)
		reap(g);
	return g->held > most;
}

static void take_bytes(struct guest *k, size_t n)
{
	struct gate *g = k->gate;

	if (k->fd == -1)
		settle(k); /* to stay: bytes have come through its socket */
	if (k->begun_ms == 0)
		k->begun_ms = loop_now(g->broker->loop);
	k->bytes += n;
	g->held += n;
	if (!k->is_asking && k->bytes > SMALL && holds_too_much(g, 0))
		refuse(k, g->refused.memory, "503 Service Unavailable",
		       "ServiceUnavailableException",
		       "No memory for large requests now: try again");
}

static void on_input(struct evbuffer *in, const struct evbuffer_cb_info *of, void *arg)
{
	struct guest *k = arg;

	if (of->n_added == 0)
		return;
	if (!k->is_cut && !k->is_unwanted)
		take_bytes(k, of->n_added);
	if (k->is_cut || k->is_unwanted)
		evbuffer_drain(in, evbuffer_get_length(in));
}

enum err gate_take(struct gate *g, struct evhttp_request *req)
{
	struct evhttp_connection *c = evhttp_request_get_connection(req);
	struct bufferevent *bev = evhttp_connection_get_bufferevent(c);
	struct guest *k = map_find(g->by_bev, span_of(&bev, sizeof bev));

	assert(k != NULL);
	k->is_asking = true;
	if (g->waiting < (size_t)g->broker->conf.management_requests)
		return OK;
	metric_add(g->refused.requests, 1);
	return ERR_BUSY;
}

enum err gate_has_room(struct gate *g, size_t own)
{
	if (!holds_too_much(g, own))
		return OK;
	metric_add(g->refused.memory, 1);
	return ERR_BUSY;
}

void gate_hold(struct gate *g, size_t bytes)
{
	g->held += bytes;
}

void gate_release(struct gate *g, size_t bytes)
{
	g->held -= bytes;
}

void gate_wait(struct gate *g)
{
	g->waiting++;
}

void gate_wake(struct gate *g)
{
	g->waiting--;
}

/* Whatever evhttp says ends the request, or is a 100, which begins its body. */
static void on_output(struct evbuffer *out, const struct evbuffer_cb_info *of, void *arg)
{
	struct guest *k = arg;
	size_t n = evbuffer_get_length(out);

	k->gate->held += n;
	k->gate->held -= k->answer;
	k->answer = n;
	if (of->n_added == 0 || k->is_cut)
		return;
	k->gate->held -= k->bytes;
	k->bytes = 0;
	k->begun_ms = 0;
	k->is_asking = false;
	k->since_ms = loop_now(k->gate->broker->loop);
}

/* ---- time ---- */

/* It has not asked again, or not even read its answer. */
static void cut_silent(struct guest *k)
{
	if (k->answer > 0)
		metric_add(k->gate->refused.late, 1);
	cut(k, SHUT_RDWR);
}

static void look_at(struct guest *k, int64_t now)
{
	struct gate *g = k->gate;
	int64_t most = g->broker->conf.management_ms;

	if (k->is_cut && now - k->since_ms > LINGER_MS)
		cut(k, SHUT_RDWR);
	else if (k->is_cut || k->is_asking)
		return;
	else if (k->begun_ms != 0 && now - k->begun_ms > most)
		refuse(k, g->refused.late, "408 Request Timeout",
		       "RequestTimeoutException", "The request did not arrive in time");
	else if (k->begun_ms == 0 && now - k->since_ms > most)
		cut_silent(k);
}

static void sweep(void *arg)
{
	struct gate *g = arg;
	struct guest *k;
	int64_t now = loop_now(g->broker->loop);

	reap(g);
	LIST_FOREACH(k, &g->guests, all)
	look_at(k, now);
}
