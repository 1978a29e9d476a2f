#include "aws/credentials.h"

#include "base/mem.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

struct credentials {
	struct credential *list;
	size_t n;
};

/* A file while it is read. */
struct reading {
	struct credentials *into;
	struct credential *now; /* NULL before the first section */
	size_t line;
	const char *wrong; /* NULL: nothing so far */
};

static void take_line(struct reading *r, struct span line);
static void take_section(struct reading *r, struct span name);
static void take_setting(struct reading *r, struct span name, struct span value);
static void end_section(struct reading *r);

/* ---- life ---- */

static void wipe(char *secret)
{
	if (secret != NULL)
		OPENSSL_cleanse(secret, strlen(secret));
	free(secret);
}

void credentials_free(struct credentials *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n; i++) {
		free(c->list[i].name);
		free(c->list[i].key_id);
		free(c->list[i].function);
		wipe(c->list[i].secret);
	}
	free(c->list);
	free(c);
}

size_t credentials_count(const struct credentials *c)
{
	return c->n;
}

/* ---- reading ---- */

enum err credentials_parse(struct span text, struct credentials **out, char *why,
			   size_t n)
{
	struct reading r = {.into = xcalloc(1, sizeof *r.into)};

	while (r.wrong == NULL && text.n > 0) {
		const uint8_t *end = memchr(text.p, '\n', text.n);
		size_t line = end ? (size_t)(end - text.p) : text.n;

		r.line++;
		take_line(&r, span_of(text.p, line));
		line += end != NULL;
		text = span_of(text.p + line, text.n - line);
	}
	if (r.wrong == NULL)
		end_section(&r);
	if (r.wrong == NULL && r.into->n == 0)
		r.wrong = "no section: write [name], and below it aws_access_key_id and "
			  "aws_secret_access_key, or token";
	*out = r.wrong ? NULL : r.into;
	if (r.wrong == NULL)
		return OK;
	snprintf(why, n, "line %zu: %s", r.line, r.wrong);
	credentials_free(r.into);
	return ERR_MALFORMED;
}

/* Visible ASCII: what a header can carry, and a log line show. */
static bool is_word(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return s.n > 0;
}

static void take_line(struct reading *r, struct span line)
{
	const uint8_t *equals;

	line = span_trim(line);
	if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';')
		return;
	equals = memchr(line.p, '=', line.n);
	if (line.p[0] == '[' && line.p[line.n - 1] == ']')
		take_section(r, span_trim(span_of(line.p + 1, line.n - 2)));
	else if (equals == NULL)
		r->wrong = "neither [name] nor `setting = value`";
	else
		take_setting(r, span_trim(span_of(line.p, (size_t)(equals - line.p))),
			     span_trim(span_of(equals + 1,
					       line.n - (size_t)(equals + 1 - line.p))));
}

static void take_section(struct reading *r, struct span name)
{
	struct credentials *c = r->into;

	end_section(r);
	if (r->wrong != NULL)
		return;
	for (size_t i = 0; i < c->n; i++)
		if (span_is(name, c->list[i].name))
			r->wrong = "a section of this name stands above";
	if (!is_word(name))
		r->wrong = "a section's name is of visible ASCII characters";
	if (r->wrong != NULL)
		return;
	c->list = xrealloc(c->list, (c->n + 1) * sizeof *c->list);
	r->now = &c->list[c->n++];
	*r->now = (struct credential){.name = span_dup(name)};
}

static void set_text(struct reading *r, char **to, struct span value)
{
	if (*to != NULL)
		r->wrong = "the section has this setting already";
	else
		*to = span_dup(value);
}

static void set_key_id(struct reading *r, struct span id)
{
	if (credentials_of_key(r->into, id) != NULL)
		r->wrong = "a section above has the same aws_access_key_id";
	else if (memchr(id.p, '/', id.n) != NULL)
		r->wrong = "an aws_access_key_id has no slash";
	else
		set_text(r, &r->now->key_id, id);
}

static void hash(struct span token, uint8_t out[32])
{
	EVP_Digest(token.p, token.n, out, NULL, EVP_sha256(), NULL);
}

static void set_token(struct reading *r, struct span token)
{
	if (r->now->has_token)
		r->wrong = "the section has a token already";
	else if (credentials_of_token(r->into, token) != NULL)
		r->wrong = "a section above has the same token";
	else
		hash(token, r->now->token_hash);
	r->now->has_token = true;
}

/* Settings of AWS's own tools that are no credentials. */
static bool is_passed_over(struct span name)
{
	return span_is(name, "region") || span_is(name, "output") ||
	       span_is(name, "aws_session_token");
}

static void take_setting(struct reading *r, struct span name, struct span value)
{
	if (r->now == NULL)
		r->wrong = "a setting before the first [name]";
	else if (is_passed_over(name))
		return;
	else if (!is_word(value))
		r->wrong = "a value is of visible ASCII characters, without blanks";
	else if (span_is(name, "aws_access_key_id"))
		set_key_id(r, value);
	else if (span_is(name, "aws_secret_access_key"))
		set_text(r, &r->now->secret, value);
	else if (span_is(name, "token"))
		set_token(r, value);
	else if (span_is(name, "function"))
		set_text(r, &r->now->function, value);
	else
		r->wrong = "no such setting: aws_access_key_id, aws_secret_access_key, "
			   "token or function";
}

static void end_section(struct reading *r)
{
	const struct credential *c = r->now;

	if (c == NULL)
		return;
	if ((c->key_id == NULL) != (c->secret == NULL))
		r->wrong = "the section above has half of a key pair: "
			   "aws_access_key_id and aws_secret_access_key belong together";
	else if (c->key_id == NULL && !c->has_token)
		r->wrong = "the section above has neither a key pair nor a token";
	else if (c->function != NULL && c->key_id == NULL)
		r->wrong = "the section above has a function, but no key pair";
}

/* ---- looking ---- */

const struct credential *credentials_of_key(const struct credentials *c, struct span id)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->list[i].key_id != NULL && span_is(id, c->list[i].key_id))
			return &c->list[i];
	return NULL;
}

/* Hashes are compared, so that neither length nor beginning of a token can be found out by time. */
const struct credential *credentials_of_token(const struct credentials *c,
					      struct span token)
{
	const struct credential *found = NULL;
	uint8_t given[32];

	hash(token, given);
	for (size_t i = 0; i < c->n; i++)
		if (c->list[i].has_token &&
		    CRYPTO_memcmp(given, c->list[i].token_hash, sizeof given) == 0)
			found = &c->list[i];
	return found;
}
