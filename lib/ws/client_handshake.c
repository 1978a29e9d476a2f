#include "ws/client_handshake.h"

#include "base/mem.h"

#include <stdio.h>
#include <strings.h>

char *client_handshake_request(const struct client_handshake *h)
{
	return xasprintf("GET %s HTTP/1.1\r\n"
			 "Host: %s\r\n"
			 "Upgrade: websocket\r\n"
			 "Connection: Upgrade\r\n"
			 "Sec-WebSocket-Key: %s\r\n"
			 "Sec-WebSocket-Version: 13\r\n"
			 "%s%s%s\r\n",
			 h->target, h->host, h->key, h->user_agent ? "User-Agent: " : "",
			 h->user_agent ? h->user_agent : "", h->user_agent ? "\r\n" : "");
}

/* The value of a header in a whole head, without white space around it; no bytes when it is not there. */
static struct span header(struct span head, const char *name)
{
	const char *at = (const char *)head.p;
	const char *end = at + head.n;
	size_t n = strlen(name);

	while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		at++;
		if ((size_t)(end - at) <= n || strncasecmp(at, name, n) != 0 ||
		    at[n] != ':')
			continue;
		at += n + 1;

		const char *stop = memchr(at, '\r', (size_t)(end - at));

		return span_trim(span_of(at, (size_t)((stop == NULL ? end : stop) - at)));
	}
	return span_of(NULL, 0);
}

/* Does a list, such as "keep-alive, Upgrade", have this member? */
static bool has_member(struct span list, const char *member)
{
	while (list.n > 0) {
		const uint8_t *comma = memchr(list.p, ',', list.n);
		size_t n = comma == NULL ? list.n : (size_t)(comma - list.p);

		if (span_is_nocase(span_trim(span_of(list.p, n)), member))
			return true;
		if (comma == NULL)
			return false;
		list = span_of(comma + 1, list.n - n - 1);
	}
	return false;
}

/* Does a 101 with this head open a WebSocket? */
static bool is_right(const struct client_handshake *h, struct span head)
{
	char accept[ACCEPT_KEY_ANSWER];

	accept_key_answer(span_str(h->key), accept);
	return span_is_nocase(header(head, "Upgrade"), "websocket") &&
	       has_member(header(head, "Connection"), "Upgrade") &&
	       span_is(header(head, "Sec-WebSocket-Accept"), accept);
}

enum err client_handshake_response(const struct client_handshake *h, struct span in,
				   unsigned *status, size_t *used)
{
	const uint8_t *end = in.n ? memmem(in.p, in.n, "\r\n\r\n", 4) : NULL;
	char line[16] = "";

	if (end == NULL)
		return ERR_AGAIN;
	*used = (size_t)(end - in.p) + 4;
	memcpy(line, in.p, *used < 15 ? *used : 15);
	if (sscanf(line, "HTTP/1.1 %3u", status) != 1)
		return ERR_MALFORMED;
	if (*status != 101)
		return ERR_DENIED;
	return is_right(h, span_of(in.p, *used)) ? OK : ERR_MALFORMED;
}
