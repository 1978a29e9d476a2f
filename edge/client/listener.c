#include "edge/client/listener.h"

#include "base/address.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <unistd.h>

/* Accepted in one turn, so that new clients do not starve the others. */
enum { TURN = 128, PAUSE_MS = 100 };

struct listener {
	listener_fn *fn;
	void *arg;
	struct event *ready;
	struct timer *pause;
	int fd;          /* -1: closed */
	int64_t dropped; /* the kernel's last count */
	char address[ADDRESS_TEXT];
};

static void on_ready(evutil_socket_t fd, short what, void *arg);
static void on_pause_over(void *arg);

/* Of this socket only: the kernel's ListenDrops counts all sockets of its namespace. */
static int64_t ask_dropped(void *arg)
{
	struct listener *l = arg;
	uint32_t of[SK_MEMINFO_VARS] = {0};
	socklen_t n = sizeof of;

	if (l->fd >= 0 && getsockopt(l->fd, SOL_SOCKET, SO_MEMINFO, of, &n) == 0)
		l->dropped = of[SK_MEMINFO_DROPS];
	return l->dropped;
}

struct listener *listener_new(struct loop *loop, struct metrics *metrics,
			      const char *address, listener_fn *fn, void *arg)
{
	struct listener *l = xcalloc(1, sizeof *l);
	struct address at;
	const char *why;

	l->fn = fn;
	l->arg = arg;
	l->fd = address_listen_at(address, true, &at, &why);
	if (l->fd < 0) {
		log_error("listen.failed", S("listen", address), S("why", why),
			  S("hint",
			    "set --listen to a free address, such as 0.0.0.0:8080"));
		free(l);
		return NULL;
	}
	address_text((struct sockaddr *)&at.sa, l->address);
	l->pause = timer_new(loop, on_pause_over, l);
	l->ready = event_new(loop_base(loop), l->fd, EV_READ | EV_PERSIST, on_ready, l);
	event_add(l->ready, NULL);
	if (metrics != NULL)
		metric_asked_counter(
			metrics, "gatepost_edge_listen_dropped_total", NULL,
			"Connections that the kernel dropped, since those that it "
			"had queued for this edge were too many",
			ask_dropped, l);
	return l;
}

const char *listener_address(const struct listener *l)
{
	return l->address;
}

/* Accept at most so many. */
static void accept_some(struct listener *l, int most)
{
	for (int i = 0; i < most; i++) {
		struct sockaddr_storage sa;
		socklen_t n = sizeof sa;
		int client = accept4(l->fd, (struct sockaddr *)&sa, &n,
				     SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (client >= 0) {
			l->fn(l->arg, client, (struct sockaddr *)&sa);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM) {
			log_warn_flood(
				"listen.paused", S("why", strerror(errno)),
				S("hint", "raise the limit of open files, or add edges"));
			event_del(l->ready);
			timer_after(l->pause, PAUSE_MS);
		}
		if (errno != ECONNABORTED && errno != EINTR)
			return;
	}
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	accept_some(arg, TURN);
}

static void on_pause_over(void *arg)
{
	struct listener *l = arg;

	event_add(l->ready, NULL);
}

void listener_close(struct listener *l)
{
	if (l->fd < 0)
		return;
	/* New ones may arrive as fast: the longest queue of the kernel is the limit. */
	accept_some(l, SOMAXCONN);
	timer_stop(l->pause);
	event_del(l->ready);
	ask_dropped(l);
	close(l->fd);
	l->fd = -1;
}

void listener_free(struct listener *l)
{
	if (l == NULL)
		return;
	event_free(l->ready);
	timer_free(l->pause);
	if (l->fd >= 0)
		close(l->fd);
	free(l);
}
