#include "bench/upgrade.h"

#include "ws/accept_key.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

bool upgrade_accept(int fd, const char *request)
{
	static const char name[] = "\r\nSec-WebSocket-Key: ";
	char accept[ACCEPT_KEY_ANSWER];
	char out[160];

	const char *key = strcasestr(request, name);
	if (key == NULL || strstr(key, "\r\n\r\n") == NULL)
		return false;
	key += sizeof name - 1;
	if (strcspn(key, "\r") != ACCEPT_KEY_CHARS)
		return false;
	accept_key_answer(span_of(key, ACCEPT_KEY_CHARS), accept);
	int n = snprintf(out, sizeof out,
			 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
			 "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
			 accept);
	return send(fd, out, (size_t)n, MSG_NOSIGNAL) == n;
}
