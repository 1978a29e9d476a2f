#include "broker/api/auth.h"

#include "fixture.h"
#include "aws/sigv4.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char path[] = "/tmp/gatepost-unit-auth-XXXXXX";
static char keys_path[] = "/tmp/gatepost-unit-auth-XXXXXX";

static void write_text(int fd, const char *text)
{
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void start(void)
{
	static const char text[] = "[one]\naws_access_key_id = KEYONE\n"
				   "aws_secret_access_key = secretsecretsecretsecret\n"
				   "[two]\ntoken = tokentokentokentokentokentoken12\n";
	static const char keys[] = "[f]\naws_access_key_id = KEYOFF\n"
				   "aws_secret_access_key = functionfunction\n"
				   "function = f\n";

	write_text(mkstemp(path), text);
	write_text(mkstemp(keys_path), keys);
	fixture_init();
}

static void end(void)
{
	fixture_fini();
	unlink(path);
	unlink(keys_path);
}

TestSuite(auth, .init = start, .fini = end, .timeout = 20);

static void serve(enum auth_mode mode, const char *region)
{
	fixture.conf.auth = (struct auth_conf){.mode = mode,
					       .credentials = path,
					       .functions = keys_path,
					       .region = region};
	fixture_start();
}

static const char ONE[] = "/@connections/AAEAAAAMAAAAAAc%3D";

/* What signs. */
struct signer {
	const char *id, *secret, *region, *service;
	int64_t at_s;            /* beside now */
	const char *signed_body; /* NULL: the body that is sent */
};

static const struct signer right = {
	"KEYONE", "secretsecretsecretsecret", "eu-central-1", "execute-api", 0, NULL};

/* Freed by the caller: the headers of a signed POST of this body. */
static char *sign(const struct signer *s, const char *body)
{
	char when[SIGV4_TIME], authorization[SIGV4_AUTHORIZATION];
	const struct sigv4_header headers[] = {
		{span_str("host"), span_str("localhost")},
		{span_str("x-amz-date"),
		 span_str(sigv4_time(time(NULL) + s->at_s, when))},
	};
	const struct sigv4_request r = {
		.method = span_str("POST"),
		.path = span_str(ONE),
		.headers = headers,
		.n_headers = 2,
		.body = span_str(s->signed_body ? s->signed_body : body),
	};
	const struct sigv4_key k = {s->id, s->secret, s->region, s->service};

	cr_assert_eq(sigv4_sign(&r, &k, when, authorization), OK);
	return xasprintf("X-Amz-Date: %s\r\nAuthorization: %s\r\n", when, authorization);
}

/* 0: it is let in, and waits for its command; else the status, of this class. */
static void expect_of(const char *headers, int status, const char *type)
{
	struct client *c = client_new();
	size_t n = fake_commands.n;

	client_ask(c, "POST", ONE, headers, "hello");
	if (status == 0)
		fixture_until_commands(n + 1);
	else
		expect_error(client_reply(c), status, type);
	cr_assert_eq(fake_commands.n, n + (status == 0));
	if (status == 401) {
		client_ask(c, "POST", ONE, headers, "hello");
		cr_assert(reply_has(client_reply(c),
				    "WWW-Authenticate: Bearer realm=\"gatepost\""));
	}
	client_leave(c);
	evbuffer_free(c->got);
	fixture.n_clients--;
}

static void expect_signed(const struct signer *s, int status, const char *type)
{
	char *headers = sign(s, "hello");

	expect_of(headers, status, type);
	free(headers);
}

static const char token[] = "Authorization: Bearer tokentokentokentokentokentoken12\r\n";
static const char other_token[] = "Authorization: bearer tokentoken\r\n";

Test(auth, without_authentication_all_connections_are_accepted)
{
	serve(AUTH_NONE, NULL);
	expect_of("", 0, NULL);
	expect_of(other_token, 0, NULL);
}

Test(auth, with_keys_a_signature_is_accepted_and_a_token_is_not)
{
	serve(AUTH_KEYS, NULL);
	expect_signed(&right, 0, NULL);
	expect_of("", 403, "ForbiddenException");
	expect_of(token, 403, "ForbiddenException");
}

Test(auth, with_bearer_a_token_is_accepted_and_a_signature_is_not)
{
	serve(AUTH_BEARER, NULL);
	expect_of(token, 0, NULL);
	expect_of(other_token, 401, "UnauthorizedException");
	expect_of("", 401, "UnauthorizedException");
	expect_signed(&right, 401, "UnauthorizedException");
}

Test(auth, with_both_either_is_accepted)
{
	serve(AUTH_BOTH, NULL);
	expect_of(token, 0, NULL);
	expect_signed(&right, 0, NULL);
	expect_of(other_token, 401, "UnauthorizedException");
	expect_of("", 403, "ForbiddenException");
}

Test(auth, a_signature_by_another_key_for_something_else_or_of_another_time_is_403)
{
	struct signer s;

	serve(AUTH_KEYS, "eu-central-1");
	expect_signed(&right, 0, NULL);
	s = right;
	s.id = "NOBODY";
	expect_signed(&s, 403, "UnrecognizedClientException");
	s = right;
	s.secret = "another";
	expect_signed(&s, 403, "InvalidSignatureException");
	s = right;
	s.service = "lambda";
	expect_signed(&s, 403, "InvalidSignatureException");
	s = right;
	s.region = "us-east-1";
	expect_signed(&s, 403, "InvalidSignatureException");
	s = right;
	s.at_s = -SIGV4_SKEW_S - 5;
	expect_signed(&s, 403, "InvalidSignatureException");
	s = right;
	s.signed_body = "another body";
	expect_signed(&s, 403, "InvalidSignatureException");
	expect_of("Authorization: AWS4-HMAC-SHA256 Credential=x\r\n", 403,
		  "IncompleteSignatureException");
}

Test(auth, an_authenticated_request_may_have_any_origin_and_host)
{
	struct client *c;

	serve(AUTH_BEARER, NULL);
	c = client_new();
	client_send(c, "GET /@connections HTTP/1.1\r\nHost: evil.example\r\n"
		       "Origin: http://evil.example\r\n"
		       "Authorization: Bearer tokentokentokentokentokentoken12\r\n\r\n");
	fixture_until_questions(1);
}

static const struct signer function = {
	"KEYOFF", "functionfunction", "eu-central-1", "execute-api", 0, NULL};

Test(auth, the_key_of_a_function_is_one_too)
{
	serve(AUTH_KEYS, NULL);
	expect_signed(&function, 0, NULL);
}

Test(auth, without_authentication_only_the_key_of_a_function_is_verified)
{
	struct signer s = right;

	serve(AUTH_NONE, NULL);
	expect_signed(&function, 0, NULL);
	s.secret = "another";
	expect_signed(&s, 0, NULL);
	s.id = "NOBODY";
	expect_signed(&s, 0, NULL);
	s = function;
	s.secret = "another";
	expect_signed(&s, 403, "InvalidSignatureException");
}

Test(auth, a_key_counts_from_the_moment_in_which_it_is_written)
{
	struct signer s = function;

	serve(AUTH_KEYS, NULL);
	s.id = "KEYTWO";
	expect_signed(&s, 403, "UnrecognizedClientException");
	write_text(open(keys_path, O_WRONLY | O_TRUNC),
		   "[two]\naws_access_key_id = KEYTWO\n"
		   "aws_secret_access_key = functionfunction\nfunction = f\n");
	expect_signed(&s, 0, NULL);
}
