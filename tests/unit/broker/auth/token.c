#include "broker/auth/token.h"

#include "base/mem.h"
#include "tests/unit/base/capture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* RFC 7515 A.1: its own token and key, where the exp is 1300819380 (in 2011). */
static const char rfc_token[] =
	"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
	".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
	"cGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
	".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
static const uint8_t rfc_key[64] = {
	3,   35,  53, 75,  43,  15, 165, 188, 131, 126, 6,   101, 119, 123, 166, 143,
	90,  179, 40, 230, 240, 84, 201, 40,  169, 15,  132, 178, 210, 80,  46,  191,
	211, 251, 90, 146, 210, 6,  71,  239, 150, 138, 180, 195, 119, 98,  61,  34,
	61,  46,  33, 114, 5,   46, 79,  8,   192, 205, 154, 245, 103, 208, 128, 163};
static const int64_t rfc_exp_ms = 1300819380000, grace_ms = 60000;

static char path[] = "/tmp/gatepost-token.XXXXXX";
static struct config_authorizer config;
static struct token_key *key;

/* With a key file of these bytes, and a line end behind them as editors leave it. */
static void use(const void *bytes, size_t n)
{
	int fd = mkstemp(path);

	cr_assert(eq(long, write(fd, bytes, n), (ssize_t)n));
	cr_assert(eq(long, write(fd, "\n", 1), 1));
	close(fd);
	config = (struct config_authorizer){
		.name = (char *)"who",
		.sort = CONFIG_JWT,
		.algorithm = (char *)"HS256",
		.key_file = path,
	};
	key = token_key_new(&config);
}

static void start(void)
{
	use(rfc_key, sizeof rfc_key);
	cr_assert(key != NULL);
}

static void end(void)
{
	token_key_free(key);
	unlink(path);
}

TestSuite(token, .init = start, .fini = end);

static void expect(const char *token, int64_t now_ms, const char *want)
{
	struct token_claims claims = {0};
	const char *why;
	enum err e = token_check(key, span_str(token), now_ms, &claims, &why);

	cr_assert(eq(str, (char *)(uintptr_t)(e == OK ? "good" : why),
		     (char *)(uintptr_t)want));
	free(claims.json);
	free(claims.subject);
}

Test(token, the_one_of_the_rfc_is_good_until_its_end_and_a_minute)
{
	expect(rfc_token, rfc_exp_ms, "good");
	expect(rfc_token, rfc_exp_ms + grace_ms - 1, "good");
	expect(rfc_token, rfc_exp_ms + grace_ms, "the token has expired");
}

Test(token, its_claims_come_as_they_are)
{
	struct token_claims claims = {0};
	const char *why;

	cr_assert(eq(int, token_check(key, span_str(rfc_token), 0, &claims, &why), OK));
	cr_assert(eq(str, claims.subject, "")); /* it has no sub */
	cr_assert(eq(i64, claims.expires_ms, rfc_exp_ms + grace_ms));
	cr_assert(strstr(claims.json, "\"iss\":\"joe\"") != NULL, "%s", claims.json);
	free(claims.json);
	free(claims.subject);
}

Test(token, the_configured_issuer_and_audience_are_asked_for)
{
	config.issuer = (char *)"joe";
	expect(rfc_token, 0, "good");
	config.issuer = (char *)"jo";
	expect(rfc_token, 0, "the token has another issuer");
	config.issuer = NULL;
	config.audience = (char *)"joe";
	expect(rfc_token, 0, "the token is for another audience");
}

Test(token, one_signed_for_another_algorithm_is_not_looked_at_further)
{
	config.algorithm = (char *)"RS256";
	expect(rfc_token, 0, "the token has another algorithm than the configured one");
}

Test(token, no_letter_of_it_may_change)
{
	char copy[sizeof rfc_token];

	for (size_t i = 0; i < sizeof rfc_token - 2; i++) { /* the last has unused bits */
		struct token_claims claims = {0};
		const char *why;

		memcpy(copy, rfc_token, sizeof copy);
		copy[i] = copy[i] == 'A' ? 'B' : 'A';
		cr_assert(eq(int, token_check(key, span_str(copy), 0, &claims, &why),
			     ERR_DENIED),
			  "letter %zu", i);
		cr_assert(claims.json == NULL);
	}
}

Test(token, no_prefix_of_it_will_do)
{
	for (size_t n = 0; n < sizeof rfc_token - 1; n++) {
		struct token_claims claims = {0};
		const char *why;

		cr_assert(eq(int,
			     token_check(key, span_of(rfc_token, n), 0, &claims, &why),
			     ERR_DENIED),
			  "%zu letters", n);
	}
}

Test(token, one_that_is_too_long_is_refused_unread)
{
	char *long_one = xmalloc(17 * 1024);

	memset(long_one, 'x', 17 * 1024 - 1);
	long_one[17 * 1024 - 1] = '\0';
	expect(long_one, 0, "the token is too long");
	free(long_one);
}

/* What token_key_new says of a configuration. */
static char *complaint(struct config_authorizer c)
{
	struct capture *capture = capture_start(STDERR_FILENO);
	struct token_key *k = token_key_new(&c);

	cr_assert(k == NULL);
	return capture_end(capture);
}

Test(token, a_key_that_cannot_be_read_is_refused_with_its_file)
{
	struct config_authorizer c = config;
	char *said;

	c.key_file = (char *)"/nowhere/key";
	said = complaint(c);
	cr_assert(strstr(said, "file=/nowhere/key") != NULL, "%s", said);
	cr_assert(strstr(said, "No such file") != NULL, "%s", said);
	free(said);
}

Test(token, a_secret_that_is_short_is_refused_and_not_shown)
{
	struct config_authorizer c = config;
	char *said;

	c.key_file = NULL;
	c.key = (char *)"opensesame, and 31 bytes of it.";
	cr_assert(eq(sz, strlen(c.key), 31));
	said = complaint(c);
	cr_assert(strstr(said, "authorizer.key.weak") != NULL, "%s", said);
	cr_assert(strstr(said, "at least 32 bytes") != NULL, "%s", said);
	cr_assert(strstr(said, "sesame") == NULL, "%s", said);
	free(said);
}

Test(token, a_secret_that_others_may_read_is_refused_with_its_file)
{
	static const mode_t open_modes[] = {0640, 0604, 0620, 0666};

	for (size_t i = 0; i < sizeof open_modes / sizeof *open_modes; i++) {
		char *said;

		cr_assert(eq(int, chmod(path, open_modes[i]), 0));
		said = complaint(config);
		cr_assert(strstr(said, "authorizer.key.unreadable") != NULL, "%s", said);
		cr_assert(strstr(said, path) != NULL, "%s", said);
		cr_assert(strstr(said, "chmod 600") != NULL, "%s", said);
		free(said);
	}
}

/* PEM, by openssl(1); freed by the caller. */
static char *public_key(const char *how)
{
	char *command =
		xasprintf("openssl genpkey %s 2>/dev/null | openssl pkey -pubout", how);
	char *pem = xcalloc(1, 4096);
	FILE *out = popen(command, "re");

	cr_assert(out != NULL);
	cr_assert(fread(pem, 1, 4095, out) > 0, "%s", command);
	cr_assert(eq(int, pclose(out), 0));
	free(command);
	return pem;
}

Test(token, a_public_key_is_of_the_algorithms_kind_and_size)
{
	static const struct {
		const char *how, *algorithm, *wrong; /* NULL: nothing */
	} rows[] = {
		{"-algorithm RSA -pkeyopt rsa_keygen_bits:2048", "RS256", NULL},
		{"-algorithm RSA -pkeyopt rsa_keygen_bits:1024", "RS256", "2048 bits"},
		{"-algorithm RSA -pkeyopt rsa_keygen_bits:2048", "ES256", "another kind"},
		{"-algorithm EC -pkeyopt ec_paramgen_curve:P-256", "ES256", NULL},
		{"-algorithm EC -pkeyopt ec_paramgen_curve:P-256", "RS256",
		 "another kind"},
		{NULL, "RS256", "no public key"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *pem = rows[i].how ? public_key(rows[i].how) : xstrdup("some text");
		struct config_authorizer c = {
			.name = (char *)"who",
			.algorithm = (char *)(uintptr_t)rows[i].algorithm,
			.key = pem,
		};
		struct token_key *k = rows[i].wrong ? NULL : token_key_new(&c);

		if (rows[i].wrong) {
			char *said = complaint(c);

			cr_expect(strstr(said, rows[i].wrong) != NULL, "%zu: %s", i,
				  said);
			free(said);
		} else {
			cr_expect(k != NULL, "%zu", i);
		}
		token_key_free(k);
		free(pem);
	}
}

/* {"alg":"HS256"} and {"iss":"joe"}, signed with the key of the RFC. */
Test(token, one_without_an_end_is_refused_unless_the_configuration_takes_it)
{
	static const char endless[] = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UifQ"
				      ".drNzgXhtBsgXhRXUJuUzfelbO_zNvlOmBQORTQiNiG8";

	expect(endless, 0, "the token has no exp (requireExpiry: false would take it)");
	config.endless = true;
	expect(endless, 0, "good");
	expect(rfc_token, rfc_exp_ms + grace_ms, "the token has expired");
}

/* The story: a key that was given in the configuration itself was looked for in a file of no name. */
Test(token, a_key_may_be_in_the_configuration_itself)
{
	struct config_authorizer c = {
		.name = (char *)"who",
		.algorithm = (char *)"HS256",
		.key = (char *)"a secret of 32 bytes, or so it is",
	};
	struct token_key *k = token_key_new(&c);

	cr_assert(k != NULL);
	token_key_free(k);
	token_key_free(NULL);
}
