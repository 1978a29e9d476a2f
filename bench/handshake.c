#include "bench/handshake.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <strings.h>

static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455 1.3 */

void handshake_key(uint32_t number, uint64_t seed, char out[HANDSHAKE_KEY])
{
	uint64_t nonce[2] = {seed * 0x9e3779b97f4a7c15u + number, seed ^ number};

	EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)nonce, sizeof nonce);
}

void handshake_accept(const char *key, char out[HANDSHAKE_ACCEPT])
{
	unsigned char joined[24 + sizeof guid];
	unsigned char digest[SHA_DIGEST_LENGTH];

	memcpy(joined, key, 24);
	memcpy(joined + 24, guid, sizeof guid);
	SHA1(joined, 24 + sizeof guid - 1, digest);
	EVP_EncodeBlock((unsigned char *)out, digest, sizeof digest);
}

/* The value of a header field inside a whole header; no bytes when it is not there. */
static struct span field(struct span header, const char *name)
{
	const char *at = (const char *)header.p;
	const char *end = at + header.n;
	size_t n = strlen(name);

	while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		at++;
		if ((size_t)(end - at) <= n || strncasecmp(at, name, n) != 0 ||
		    at[n] != ':')
			continue;
		at += n + 1;
		while (at < end && *at == ' ')
			at++;
		const char *stop = memchr(at, '\r', (size_t)(end - at));
		return span_of(at, (size_t)((stop == NULL ? end : stop) - at));
	}
	return span_of(NULL, 0);
}

enum err handshake_check(struct span in, const char *key, unsigned *status, size_t *used)
{
	const uint8_t *end = memmem(in.p, in.n, "\r\n\r\n", 4);
	char line[16] = "";
	char accept[HANDSHAKE_ACCEPT];

	if (end == NULL)
		return ERR_AGAIN;
	*used = (size_t)(end - in.p) + 4;
	memcpy(line, in.p, *used < 15 ? *used : 15);
	if (sscanf(line, "HTTP/1.1 %3u", status) != 1)
		return ERR_MALFORMED;
	if (*status != 101)
		return ERR_DENIED;
	handshake_accept(key, accept);
	if (!span_is(field(span_of(in.p, *used), "sec-websocket-accept"), accept))
		return ERR_MALFORMED;
	return OK;
}
