#include "cli/client/ws_handshake.h"

#include "base/mem.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

enum {
	LINE_MAX_BYTES = 1024, /* of the answer's head */
	LINES_MAX = 100,
};

static int read_answer(struct stream *s, const char *accept);

/* base64 of 16 random bytes: RFC 6455 4.1, 7. */
static void make_key(char key[25])
{
	uint8_t nonce[16];

	if (getrandom(nonce, sizeof nonce, 0) != (ssize_t)sizeof nonce)
		abort();
	EVP_EncodeBlock((unsigned char *)key, nonce, sizeof nonce);
}

/* What the server must answer to key: RFC 6455 4.2.2, 5.4. */
static void make_accept(const char *key, char accept[29])
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned n;
	char *text = xasprintf("%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);

	EVP_Digest(text, strlen(text), hash, &n, EVP_sha1(), NULL);
	EVP_EncodeBlock((unsigned char *)accept, hash, (int)n);
	free(text);
}

int ws_handshake(struct stream *s, const struct ws_request *r)
{
	char key[25], accept[29];

	make_key(key);
	make_accept(key, accept);
	char *request = xasprintf("GET %s HTTP/1.1\r\n"
				  "Host: %s\r\n"
				  "Upgrade: websocket\r\n"
				  "Connection: Upgrade\r\n"
				  "Sec-WebSocket-Key: %s\r\n"
				  "Sec-WebSocket-Version: 13\r\n"
				  "User-Agent: %s\r\n\r\n",
				  r->target, r->host, key, r->user_agent);
	enum err e = stream_send(s, request, strlen(request));

	free(request);
	return e == OK ? read_answer(s, accept) : 0;
}

/* One line without its CRLF. */
static enum err take_line(struct stream *s, char line[LINE_MAX_BYTES])
{
	for (size_t n = 0; n < LINE_MAX_BYTES; n++) {
		enum err e = stream_take(s, line + n, 1);

		if (e != OK)
			return e;
		if (line[n] != '\n')
			continue;
		line[n] = '\0';
		if (n > 0 && line[n - 1] == '\r')
			line[n - 1] = '\0';
		return OK;
	}
	return ERR_TOOBIG;
}

/* The value when line is the header of that name; else "". */
static const char *header_value(const char *line, const char *name)
{
	size_t n = strlen(name);

	if (strncasecmp(line, name, n) != 0 || line[n] != ':')
		return "";
	return line + n + 1 + strspn(line + n + 1, " \t");
}

static int read_answer(struct stream *s, const char *accept)
{
	char line[LINE_MAX_BYTES];
	int status;
	bool upgraded = false, connected = false, accepted = false;

	if (take_line(s, line) != OK || sscanf(line, "HTTP/1.1 %3d", &status) != 1)
		return 0;
	for (int i = 0; i < LINES_MAX; i++) {
		if (take_line(s, line) != OK)
			return 0;
		if (line[0] == '\0') {
			bool right = upgraded && connected && accepted;
			return status == 101 && !right ? 0 : status;
		}
		upgraded |= !strcasecmp(header_value(line, "Upgrade"), "websocket");
		connected |= !strcasecmp(header_value(line, "Connection"), "Upgrade");
		accepted |= !strcmp(header_value(line, "Sec-WebSocket-Accept"), accept);
	}
	return 0;
}
