#include "edge/client/transport.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

enum err transport_read(const struct transport *t, uint8_t *room, size_t room_n,
			size_t *n)
{
	ssize_t got = recv(t->fd, room, room_n, MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return ERR_AGAIN;
	if (got <= 0)
		return ERR_DOWN;
	*n = (size_t)got;
	return OK;
}

enum err transport_write(const struct transport *t, struct iovec *iov, size_t n,
			 size_t *written)
{
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = n};
	ssize_t wrote;

	do
		wrote = sendmsg(t->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (wrote < 0 && errno == EINTR);
	if (wrote < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? ERR_AGAIN : ERR_DOWN;
	*written = (size_t)wrote;
	return OK;
}

void transport_shutdown(const struct transport *t)
{
	shutdown(t->fd, SHUT_WR);
}

void transport_close(const struct transport *t)
{
	close(t->fd);
}
