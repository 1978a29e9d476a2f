/* The client against a peer that plays a script: first an answer's head, then bytes. */
#include "cli/client/ws_client.h"

#include "base/address.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct peer {
	const char *head; /* "%s" in it becomes the right Sec-WebSocket-Accept */
	struct span script;
	bool hangs; /* stays silent after the script, until the client is gone */
	int listener;
	char url[ADDRESS_TEXT + 16];
	pthread_t thread;
	uint8_t got[4096]; /* what the client sent after the handshake */
	size_t got_n;
};

static const char right[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
			    "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n";

static void accept_for(const char *request, char out[29])
{
	const char *key = strstr(request, "Sec-WebSocket-Key: ");
	unsigned char hash[EVP_MAX_MD_SIZE];

	cr_assert(key != NULL);
	char *text = xasprintf("%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
			       key + strlen("Sec-WebSocket-Key: "));
	EVP_Digest(text, strlen(text), hash, NULL, EVP_sha1(), NULL);
	EVP_EncodeBlock((unsigned char *)out, hash, 20);
	free(text);
}

static void *play(void *arg)
{
	struct peer *p = arg;
	int fd = accept(p->listener, NULL, NULL);
	char request[2048], head[512], key[29];
	size_t n = 0;
	ssize_t got;

	do {
		got = recv(fd, request + n, sizeof request - 1 - n, 0);
		n += got > 0 ? (size_t)got : 0;
		request[n] = '\0';
	} while (got > 0 && !strstr(request, "\r\n\r\n"));
	accept_for(request, key);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	int length = snprintf(head, sizeof head, p->head, key);
#pragma GCC diagnostic pop
	send(fd, head, (size_t)length, MSG_NOSIGNAL);
	send(fd, p->script.p, p->script.n, MSG_NOSIGNAL);
	if (!p->hangs)
		shutdown(fd, SHUT_WR);
	while ((got = recv(fd, p->got + p->got_n, sizeof p->got - p->got_n, 0)) > 0)
		p->got_n += (size_t)got;
	close(fd);
	return NULL;
}

static struct ws_client *open_at(struct peer *p, int *status)
{
	struct address any, at;
	char text[ADDRESS_TEXT];

	cr_assert(address_parse("127.0.0.1:0", &any) == OK);
	p->listener = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert(bind(p->listener, (struct sockaddr *)&any.sa, any.n) == 0);
	cr_assert(listen(p->listener, 1) == 0);
	at.n = sizeof at.sa;
	getsockname(p->listener, (struct sockaddr *)&at.sa, &at.n);
	snprintf(p->url, sizeof p->url, "ws://%s/dev",
		 address_text((struct sockaddr *)&at.sa, text));
	cr_assert(pthread_create(&p->thread, NULL, play, p) == 0);
	return ws_client_open(p->url, "unit", 200, status);
}

static struct ws_client *open_right(struct peer *p, const char *script, size_t n)
{
	int status;

	p->head = right;
	p->script = span_of(script, n);
	struct ws_client *c = open_at(p, &status);
	cr_assert(c != NULL);
	cr_assert(eq(int, status, 101));
	return c;
}

#define OPEN(p, script) open_right(p, script, sizeof script - 1)

static void finish(struct peer *p, struct ws_client *c)
{
	ws_client_free(c);
	pthread_join(p->thread, NULL);
	close(p->listener);
}

/* One masked frame of at most 125 bytes, as the peer got it, unmasked. */
static void peer_got(const struct peer *p, uint8_t first, const char *body)
{
	size_t n = strlen(body);

	cr_assert(eq(sz, p->got_n, 6 + n));
	cr_assert(eq(u8, p->got[0], first));
	cr_assert(eq(u8, p->got[1], (uint8_t)(0x80 | n)));
	for (size_t i = 0; i < n; i++)
		cr_assert(eq(chr, (char)(p->got[6 + i] ^ p->got[2 + i % 4]), body[i]));
}

static void refused(const char *head, int wanted)
{
	struct peer p = {.head = head};
	int status;
	struct ws_client *c = open_at(&p, &status);

	cr_assert(c == NULL, "%s", head);
	cr_assert(eq(int, status, wanted), "%s", head);
	finish(&p, c);
}

Test(ws_client, a_handshake_that_is_not_right_gives_no_client, .timeout = 10)
{
	refused("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", 403);
	refused("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Accept: "
		"AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
		0);
	refused("HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		0);
	refused("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n", 0);
	refused("SMTP ready\r\n\r\n", 0);
	refused("", 0);
}

Test(ws_client, nobody_there_gives_no_client, .timeout = 10)
{
	int status;

	cr_assert(ws_client_open("ws://127.0.0.1:1/dev", "unit", 200, &status) == NULL);
	cr_assert(eq(int, status, 0));
	cr_assert(ws_client_open("http://127.0.0.1:1/dev", "unit", 200, &status) == NULL);
}

Test(ws_client, fragments_make_one_message_and_a_ping_between_is_answered, .timeout = 10)
{
	struct peer p = {0};
	struct ws_client *c = OPEN(&p, "\x01\x03one\x89\x02hi\x80\x03two");
	struct ws_message m;

	cr_assert(eq(int, ws_client_take(c, &m), OK));
	cr_assert(eq(int, m.kind, WS_TEXT));
	cr_assert(span_is(m.body, "onetwo"));
	finish(&p, c);
	peer_got(&p, 0x8a, "hi");
}

Test(ws_client, a_close_is_answered_with_its_code, .timeout = 10)
{
	struct peer p = {0};
	struct ws_client *c = OPEN(&p, "\x88\x05\x03\xe8"
				       "bye");
	struct ws_message m;

	cr_assert(eq(int, ws_client_take(c, &m), OK));
	cr_assert(eq(int, m.kind, WS_CLOSE));
	cr_assert(eq(u32, m.close_code, 1000));
	cr_assert(span_is(m.body, "bye"));
	finish(&p, c);
	peer_got(&p, 0x88, "\x03\xe8");
}

Test(ws_client, a_message_goes_out_masked, .timeout = 10)
{
	struct peer p = {.hangs = true};
	struct ws_client *c = OPEN(&p, "");

	cr_assert(eq(int, ws_client_send(c, WS_TEXT, span_str("hello")), OK));
	finish(&p, c);
	peer_got(&p, 0x81, "hello");
}

static void take_gives(const char *script, size_t n, enum err wanted, const char *why)
{
	struct peer p = {0};
	struct ws_client *c = open_right(&p, script, n);
	struct ws_message m;

	cr_assert(eq(int, ws_client_take(c, &m), wanted), "%s", why);
	finish(&p, c);
}

#define TAKE(script, wanted, why) take_gives(script, sizeof script - 1, wanted, why)

Test(ws_client, what_a_server_must_not_send_is_malformed, .timeout = 10)
{
	TAKE("\x81\x81"
	     "1234"
	     "a",
	     ERR_MALFORMED, "a mask");
	TAKE("\xc1\x01"
	     "a",
	     ERR_MALFORMED, "a reserved bit");
	TAKE("\x83\x01"
	     "a",
	     ERR_MALFORMED, "a reserved opcode");
	TAKE("\x80\x01"
	     "a",
	     ERR_MALFORMED, "a continuation of nothing");
	TAKE("\x01\x01"
	     "a\x81\x01"
	     "b",
	     ERR_MALFORMED, "a message inside a message");
	TAKE("\x09\x01"
	     "a",
	     ERR_MALFORMED, "a fragment of a ping");
	TAKE("\x89\x7e\x00\x80", ERR_MALFORMED, "a ping of 128 bytes");
	TAKE("\x88\x01\x03", ERR_MALFORMED, "half a close code");
}

Test(ws_client, over_1_mib_is_too_big_before_it_has_come, .timeout = 10)
{
	TAKE("\x82\x7f\x00\x00\x00\x00\x00\x10\x00\x01", ERR_TOOBIG, "1 MiB and a byte");
	TAKE("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", ERR_TOOBIG, "the most there is");
}

Test(ws_client, the_end_of_the_stream_is_not_a_message, .timeout = 10)
{
	TAKE("", ERR_DOWN, "at once");
	TAKE("\x81\x05hel", ERR_DOWN, "inside a frame");
	TAKE("\x81", ERR_DOWN, "inside a header");
}

Test(ws_client, silence_ends_with_the_time, .timeout = 10)
{
	struct peer p = {.hangs = true};
	struct ws_client *c = OPEN(&p, "\x81\x05hel");
	struct ws_message m;

	cr_assert(eq(int, ws_client_take(c, &m), ERR_TIMEOUT));
	finish(&p, c);
}
