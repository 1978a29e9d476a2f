#include "aws/sha256.h"

#include <openssl/crypto.h>
#include <string.h>

void sha256_begin(struct sha256 *h)
{
	SHA256_Init(&h->state);
}

void sha256_add(struct sha256 *h, struct span s)
{
	if (s.n > 0)
		SHA256_Update(&h->state, s.p, s.n);
}

void sha256_end(struct sha256 *h, uint8_t out[SHA256_DIGEST_LENGTH])
{
	SHA256_Final(out, &h->state);
}

void sha256_of(struct span in, uint8_t out[SHA256_DIGEST_LENGTH])
{
	struct sha256 h;

	sha256_begin(&h);
	sha256_add(&h, in);
	sha256_end(&h, out);
}

/* H((key ^ pad) ‖ text) */
static void hash_padded(const uint8_t key[SHA256_CBLOCK], uint8_t pad, struct span text,
			uint8_t out[SHA256_DIGEST_LENGTH])
{
	uint8_t block[SHA256_CBLOCK];
	struct sha256 h;

	for (size_t i = 0; i < sizeof block; i++)
		block[i] = key[i] ^ pad;
	sha256_begin(&h);
	sha256_add(&h, span_of(block, sizeof block));
	sha256_add(&h, text);
	sha256_end(&h, out);
	OPENSSL_cleanse(block, sizeof block);
	OPENSSL_cleanse(&h, sizeof h);
}

void sha256_hmac(struct span key, struct span text, uint8_t out[SHA256_DIGEST_LENGTH])
{
	uint8_t block[SHA256_CBLOCK] = {0}, inner[SHA256_DIGEST_LENGTH];

	if (key.n > sizeof block)
		sha256_of(key, block);
	else if (key.n > 0)
		memcpy(block, key.p, key.n);
	hash_padded(block, 0x36, text, inner);
	hash_padded(block, 0x5c, span_of(inner, sizeof inner), out);
	OPENSSL_cleanse(block, sizeof block);
}

void sha256_hex(const uint8_t in[SHA256_DIGEST_LENGTH], char out[SHA256_HEX + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < SHA256_DIGEST_LENGTH; i++) {
		out[2 * i] = digits[in[i] >> 4];
		out[2 * i + 1] = digits[in[i] & 15];
	}
	out[SHA256_HEX] = '\0';
}
