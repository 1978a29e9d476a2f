#include "edge/client/address_limit.h"

#include "base/map.h"
#include "base/mem.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/queue.h>

enum {
	KEY = 8,
	SOCKET = 1000 /* one socket, in thousandths: rate is per millisecond */
};

struct address_use {
	uint8_t key[KEY];
	uint32_t sockets;
	int64_t left; /* of the burst, in thousandths of a socket, at since_ms */
	int64_t since_ms;
	TAILQ_ENTRY(address_use)
	idle; /* addresses without a socket; the one without for longest is first */
};

TAILQ_HEAD(address_queue, address_use);

struct address_limit {
	int64_t connections, rate, burst;
	struct map *uses;
	struct address_queue idle;
	size_t n_idle;
};

struct address_limit *address_limit_new(int64_t connections, int64_t rate, int64_t burst)
{
	struct address_limit *l;

	if (connections == 0 && rate == 0)
		return NULL;
	l = xcalloc(1, sizeof *l);
	l->connections = connections;
	l->rate = rate;
	l->burst = burst * SOCKET;
	l->uses = map_new();
	TAILQ_INIT(&l->idle);
	return l;
}

void address_limit_free(struct address_limit *l)
{
	struct address_use *u;

	if (l == NULL)
		return;
	for (size_t at = 0; (u = map_next(l->uses, &at)) != NULL;)
		free(u);
	map_free(l->uses);
	free(l);
}

/* IPv4: the address after zeros, also when mapped into IPv6; IPv6: its first half, which never begins with zeros. */
static void key_of(const struct sockaddr *sa, uint8_t key[KEY])
{
	const struct in6_addr *six =
		&((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;

	memset(key, 0, KEY);
	if (sa->sa_family == AF_INET)
		memcpy(key + 4, &((const struct sockaddr_in *)(const void *)sa)->sin_addr,
		       4);
	else if (sa->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(six))
		memcpy(key + 4, six->s6_addr + 12, 4);
	else if (sa->sa_family == AF_INET6)
		memcpy(key, six->s6_addr, KEY);
}

static void refill(const struct address_limit *l, struct address_use *u, int64_t now)
{
	int64_t ms = now - u->since_ms;

	u->since_ms = now;
	if (l->rate == 0 || ms >= (l->burst - u->left) / l->rate + 1)
		u->left = l->burst; /* also what the next line could not count */
	else
		u->left += ms * l->rate;
}

static void forget(struct address_limit *l, struct address_use *u)
{
	map_remove(l->uses, span_of(u->key, KEY));
	free(u);
}

static void stop_idling(struct address_limit *l, struct address_use *u)
{
	TAILQ_REMOVE(&l->idle, u, idle);
	l->n_idle--;
}

/* It has no socket: remember it until its burst is full again, if there are not too many. */
static void idle(struct address_limit *l, struct address_use *u, int64_t now)
{
	refill(l, u, now);
	if (u->left == l->burst || l->n_idle == ADDRESS_LIMIT_IDLE_MOST) {
		forget(l, u);
		return;
	}
	TAILQ_INSERT_TAIL(&l->idle, u, idle);
	l->n_idle++;
}

static struct address_use *use_of(struct address_limit *l, const struct sockaddr *sa,
				  int64_t now)
{
	uint8_t key[KEY];
	struct address_use *u;

	key_of(sa, key);
	u = map_find(l->uses, span_of(key, KEY));
	if (u != NULL) {
		if (u->sockets == 0)
			stop_idling(l, u);
		return u;
	}
	u = xcalloc(1, sizeof *u);
	memcpy(u->key, key, KEY);
	u->left = l->burst;
	u->since_ms = now;
	map_put(l->uses, span_of(u->key, KEY), u);
	return u;
}

enum err address_limit_enter(struct address_limit *l, const struct sockaddr *sa,
			     int64_t now, struct address_use **out)
{
	struct address_use *u = use_of(l, sa, now);
	enum err e = OK;

	refill(l, u, now);
	if (l->connections > 0 && u->sockets >= l->connections)
		e = ERR_BUSY;
	else if (l->rate > 0 && u->left < SOCKET)
		e = ERR_RATE;
	if (e != OK) {
		if (u->sockets == 0)
			idle(l, u, now);
		return e;
	}
	u->sockets++;
	u->left -= SOCKET;
	*out = u;
	return OK;
}

void address_limit_leave(struct address_limit *l, struct address_use *u, int64_t now)
{
	if (--u->sockets == 0)
		idle(l, u, now);
}

/* Stops at the first one whose burst is not full; it has had the longest time. */
void address_limit_tick(struct address_limit *l, int64_t now)
{
	struct address_use *u;

	while ((u = TAILQ_FIRST(&l->idle)) != NULL) {
		refill(l, u, now);
		if (u->left < l->burst)
			return;
		stop_idling(l, u);
		forget(l, u);
	}
}

size_t address_limit_size(const struct address_limit *l)
{
	return map_size(l->uses);
}
