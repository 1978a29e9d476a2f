#include "broker/token.h"

#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <jansson.h>
#include <jwt.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	KEY_MOST = 64 * 1024,
	TOKEN_MOST = 16 * 1024,
	CLOCKS_MS = 60 * 1000,
	SECRET_LEAST = 16
};

struct token_key {
	const struct config_authorizer *config;
	jwt_alg_t algorithm;
	uint8_t *bytes;
	size_t n;
};

static bool read_file(struct token_key *k, const char *path)
{
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return false;
	errno = 0;
	k->bytes = xmalloc(KEY_MOST);
	k->n = fread(k->bytes, 1, KEY_MOST, f);
	fclose(f);
	return true;
}

static bool read_key(struct token_key *k)
{
	const char *key = k->config->key;

	errno = 0;
	if (key != NULL) {
		k->bytes = (uint8_t *)xstrdup(key);
		k->n = strlen(key);
	} else if (!read_file(k, k->config->key_file)) {
		return false;
	}
	while (k->algorithm == JWT_ALG_HS256 && k->n > 0 &&
	       (k->bytes[k->n - 1] == '\n' || k->bytes[k->n - 1] == '\r'))
		k->n--;
	return k->n > 0;
}

struct token_key *token_key_new(const struct config_authorizer *config)
{
	struct token_key *k = xcalloc(1, sizeof *k);

	k->config = config;
	k->algorithm = jwt_str_alg(config->algorithm);
	if (!read_key(k)) {
		log_error("authorizer.key.unreadable", S("authorizer", config->name),
			  S("file", config->key_file ? config->key_file : ""),
			  S("why", errno ? strerror(errno) : "empty"));
		token_key_free(k);
		return NULL;
	}
	if (k->algorithm == JWT_ALG_HS256 && k->n < SECRET_LEAST) {
		log_error("authorizer.key.short", S("authorizer", config->name),
			  S("file", config->key_file ? config->key_file : ""),
			  I("least", SECRET_LEAST));
		token_key_free(k);
		return NULL;
	}
	return k;
}

void token_key_free(struct token_key *k)
{
	if (k == NULL)
		return;
	if (k->bytes != NULL)
		OPENSSL_cleanse(k->bytes, k->n);
	free(k->bytes);
	free(k);
}

static bool time_is_right(jwt_t *jwt, int64_t now_ms, int64_t *expires_ms,
			  const char **why)
{
	int64_t begins_ms;

	errno = 0;
	*expires_ms = 1000 * (int64_t)jwt_get_grant_int(jwt, "exp");
	begins_ms = 1000 * (int64_t)jwt_get_grant_int(jwt, "nbf");
	if (*expires_ms != 0 && now_ms >= *expires_ms + CLOCKS_MS) {
		*why = "the token has expired";
		return false;
	}
	if (begins_ms != 0 && now_ms < begins_ms - CLOCKS_MS) {
		*why = "the token is not valid yet";
		return false;
	}
	return true;
}

/* aud is a string, or a list of them (RFC 7519 4.1.3). */
static bool has_audience(jwt_t *jwt, const char *want)
{
	char *text = jwt_get_grants_json(jwt, "aud");
	json_t *aud = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
	const char *one = json_string_value(aud);
	bool found = one != NULL && strcmp(one, want) == 0;

	for (size_t i = 0; !found && i < json_array_size(aud); i++) {
		const char *s = json_string_value(json_array_get(aud, i));

		found = s != NULL && strcmp(s, want) == 0;
	}
	json_decref(aud);
	free(text);
	return found;
}

static bool is_ours(const struct config_authorizer *config, jwt_t *jwt, const char **why)
{
	const char *issuer = jwt_get_grant(jwt, "iss");

	*why = "the token has another issuer";
	if (config->issuer != NULL &&
	    (issuer == NULL || strcmp(issuer, config->issuer) != 0))
		return false;
	*why = "the token is for another audience";
	return config->audience == NULL || has_audience(jwt, config->audience);
}

/* The algorithm first: a public key must never be taken for a shared secret (RFC 8725 2.1). */
static jwt_t *decode(const struct token_key *k, const char *token, const char **why)
{
	jwt_t *jwt = NULL;
	bool right;

	*why = "the token cannot be read";
	if (jwt_decode(&jwt, token, NULL, 0) != 0)
		return NULL;
	right = jwt_get_alg(jwt) == k->algorithm;
	jwt_free(jwt);
	jwt = NULL;
	*why = "the token has another algorithm than the configured one";
	if (!right)
		return NULL;
	*why = "the token's signature is wrong";
	return jwt_decode(&jwt, token, k->bytes, (int)k->n) == 0 ? jwt : NULL;
}

enum err token_check(const struct token_key *k, struct span token, int64_t now_ms,
		     struct token_claims *out, const char **why)
{
	char *text;
	jwt_t *jwt;
	const char *subject;
	bool good;

	*why = "the token is too long";
	if (token.n > TOKEN_MOST)
		return ERR_DENIED;
	text = span_dup(token);
	jwt = decode(k, text, why);
	free(text);
	if (jwt == NULL)
		return ERR_DENIED;
	good = time_is_right(jwt, now_ms, &out->expires_ms, why) &&
	       is_ours(k->config, jwt, why);
	if (good) {
		subject = jwt_get_grant(jwt, "sub");
		out->subject = xstrdup(subject ? subject : "");
		out->json = jwt_get_grants_json(jwt, NULL);
	}
	jwt_free(jwt);
	return good ? OK : ERR_DENIED;
}
