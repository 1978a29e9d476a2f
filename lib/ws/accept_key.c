#include "ws/accept_key.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

static bool is_base64(uint8_t c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') || c == '+' || c == '/';
}

/* 16 bytes in base64 are 22 characters and "==". */
bool accept_key_is_valid(struct span s)
{
	if (s.n != ACCEPT_KEY_CHARS || s.p[22] != '=' || s.p[23] != '=')
		return false;
	for (size_t i = 0; i < 22; i++)
		if (!is_base64(s.p[i]))
			return false;
	return true;
}

void accept_key_request(const uint8_t nonce[ACCEPT_KEY_NONCE],
			char out[ACCEPT_KEY_REQUEST])
{
	EVP_EncodeBlock((unsigned char *)out, nonce, ACCEPT_KEY_NONCE);
}

void accept_key_answer(struct span key, char out[ACCEPT_KEY_ANSWER])
{
	static const char guid[] =
		"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455 1.3 */
	uint8_t joined[ACCEPT_KEY_CHARS + sizeof guid - 1];
	uint8_t digest[SHA_DIGEST_LENGTH];

	assert(key.n == ACCEPT_KEY_CHARS);
	memcpy(joined, key.p, ACCEPT_KEY_CHARS);
	memcpy(joined + ACCEPT_KEY_CHARS, guid, sizeof guid - 1);
	SHA1(joined, sizeof joined, digest);
	EVP_EncodeBlock((unsigned char *)out, digest, sizeof digest);
}
