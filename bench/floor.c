/*
 * The floor: a WebSocket echo server of one thread that does the least possible
 * work on bare epoll. What a message costs here is what the kernel asks for one
 * recv and one send; every other figure is read beside it.
 *
 *   bench-floor [PORT]    prints the port that it listens on (127.0.0.1); SIGTERM ends it
 *
 * It is no server for anything else: an upgrade and a frame must come in one piece,
 * frames are under 64 KiB, and who sends something else is dropped.
 */
#include "bench/server.h"
#include "bench/upgrade.h"
#include "ws/frame.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { BUFFER = 1 << 17 };

static bool upgraded[SERVER_PEERS]; /* by descriptor */
static uint8_t in[BUFFER + 1];

static void begin(int fd)
{
	upgraded[fd] = false;
}

/* The masked frame at `at` becomes its unmasked answer, in place. Returns the answer's first byte, NULL for no frame. */
static uint8_t *answer(uint8_t *at, size_t n, size_t *whole)
{
	size_t header = n >= 2 && (at[1] & 0x7f) == 126 ? 4 : 2;

	if (n < header + 4 || !(at[1] & 0x80) || (at[1] & 0x7f) == 127)
		return NULL;

	size_t payload = header == 2 ? at[1] & 0x7fu : (size_t)(at[2] << 8 | at[3]);
	*whole = header + 4 + payload;
	if (n < *whole)
		return NULL;
	frame_unmask(at + header + 4, at + header + 4, payload, at + header, 0);
	if ((at[0] & 0x0f) == FRAME_PING)
		at[0] = 0x80 | FRAME_PONG;
	at[1] &= 0x7f;
	memmove(at + 4, at, header); /* over the mask, right before the payload */
	return at + 4;
}

/* False when the peer is to be dropped. */
static bool echo(int fd, size_t n)
{
	for (size_t at = 0, whole; at < n; at += whole) {
		uint8_t *out = answer(in + at, n - at, &whole);

		if (out == NULL)
			return false;
		if (send(fd, out, whole - 4, MSG_NOSIGNAL) != (ssize_t)(whole - 4))
			return false;
		if ((out[0] & 0x0f) == FRAME_CLOSE)
			return false;
	}
	return true;
}

static bool serve(int fd)
{
	ssize_t n = recv(fd, in, BUFFER, 0);

	if (n == -1 && errno == EAGAIN)
		return true;
	if (n <= 0)
		return false;
	if (upgraded[fd])
		return echo(fd, (size_t)n);
	in[n] = '\0';
	upgraded[fd] = true;
	return upgrade_accept(fd, (char *)in);
}

int main(int argc, char **argv)
{
	const struct server server = {"bench-floor", begin, serve};

	server_run(&server, argc > 1 ? argv[1] : "0");
	return 0;
}
