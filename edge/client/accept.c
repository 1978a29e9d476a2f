#include "edge/client/accept.h"

#include "base/log.h"
#include "edge/client/http.h"
#include "edge/client/address_limit.h"
#include "edge/client/registry.h"

/*
 * Refuses at no cost: a new socket's buffer takes these few bytes, and we do not wait until they
 * arrive. The client's bytes are read, since the kernel would send a reset for unread ones.
 */
static void refuse(struct clients *clients, int fd, const char *response)
{
	struct transport t = {fd};
	struct iovec iov = {(void *)(uintptr_t)response, strlen(response)};
	size_t n;

	(void)!transport_write(&t, &iov, 1, &n);
	transport_shutdown(&t);
	(void)!transport_read(&t, clients->scratch, CLIENTS_SCRATCH, &n);
	transport_close(&t);
}

static void refuse_full(struct clients *clients, int fd)
{
	metric_add(clients->counts.refused, 1);
	log_warn_flood(
		"connection.refused", S("why", "too many connections"),
		I("connections", registry_count(clients->registry)),
		S("hint",
		  "add edges, or raise --max-connections and the limit of open files"));
	refuse(clients, fd,
	       "HTTP/1.1 503 Service Unavailable\r\n"
	       "Content-Type: application/json\r\n"
	       "Content-Length: 44\r\n"
	       "Retry-After: 1\r\n"
	       "Connection: close\r\n\r\n"
	       "{\"message\":\"This edge is full, retry later\"}");
}

/* e: of address_limit_enter */
static void refuse_address(struct clients *clients, int fd, const struct sockaddr *peer,
			   enum err e)
{
	char host[ADDRESS_TEXT];

	metric_add(e == ERR_RATE ? clients->counts.over_rate
				 : clients->counts.over_connections,
		   1);
	log_warn_flood(
		"connection.limited", S("address", address_host(peer, host)),
		S("why", e == ERR_RATE ? "address-rate" : "address-connections"),
		S("hint", "check this address; behind a proxy set both limits to 0"));
	refuse(clients, fd,
	       "HTTP/1.1 429 Too Many Requests\r\n"
	       "Content-Type: application/json\r\n"
	       "Content-Length: 65\r\n"
	       "Retry-After: 1\r\n"
	       "Connection: close\r\n\r\n"
	       "{\"message\":\"Too many connections from this address, retry "
	       "later\"}");
}

void accept_client(void *arg, int fd, const struct sockaddr *peer)
{
	struct clients *clients = arg;
	struct address_limit *limit = clients->address_limit;
	struct address_use *use = NULL;
	struct connection *c;
	enum err e = OK;

	if (limit != NULL)
		e = address_limit_enter(limit, peer, loop_now(clients->loop), &use);
	if (e != OK) {
		refuse_address(clients, fd, peer, e);
		return;
	}
	c = connection_new(clients, fd, peer, &http_protocol, use);
	if (c == NULL) {
		if (use != NULL)
			address_limit_leave(limit, use, loop_now(clients->loop));
		refuse_full(clients, fd);
		return;
	}
	metric_add(clients->counts.accepted, 1);
	if (clients->is_closing)
		connection_end(c, CAUSE_NOT_SERVING, NULL);
}
