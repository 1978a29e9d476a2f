#include "cli/up/worker_environment.h"

#include "base/mem.h"
#include "cli/up/keys.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A function, and a home without any credentials. */

static char home[64];
static struct config_pair pairs[] = {{(char *)"GREETING", (char *)"hello"},
				     {(char *)"TZ", (char *)"Europe/Berlin"}};
static struct config_function function = {
	.name = (char *)"ping",
	.handler = (char *)"src/handler.ping",
	.runtime = (char *)"nodejs20.x",
	.memory_mb = 512,
	.environment = pairs,
	.n_environment = 2,
};
static struct config config = {
	.service = (char *)"chat",
	.stage = (char *)"dev",
	.region = (char *)"eu-central-1",
	.has_tables = true,
};
static const struct key_pair key = {"GPKEYOFPING", "secret-of-ping"};
static const struct runtime_plan plan = {
	.config = &config,
	.function = &function,
	.folder = "/srv/chat",
	.worker = "fn-ping-0",
	.address = "127.0.0.1:4001",
	.management = "http://127.0.0.1:8081",
	.key = &key,
};

static void set_up(void)
{
	static const char *const names[] = {
		"AWS_PROFILE",
		"AWS_ACCESS_KEY_ID",
		"AWS_SECRET_ACCESS_KEY",
		"AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI",
		"AWS_SHARED_CREDENTIALS_FILE",
		"AWS_CONFIG_FILE",
		"AWS_REGION",
		"AWS_DEFAULT_REGION",
		"AWS_ENDPOINT_URL",
		"AWS_ENDPOINT_URL_DYNAMODB",
		"TZ",
		"NODE_OPTIONS",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unsetenv(names[i]);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	snprintf(home, sizeof home, "%s", "/tmp/gatepost-unit-XXXXXX");
	cr_assert_not_null(mkdtemp(home));
	setenv("HOME", home, 1);
}

static void tear_down(void)
{
	char *command = xasprintf("/bin/rm -r %s", home);

	cr_assert_eq(system(command), 0);
	free(command);
}

/* A file in the home; its path, freed by the caller. */
static char *file(const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", home, name);
	FILE *out = fopen(path, "w");

	fputs(text, out);
	fclose(out);
	return path;
}

static const char *value(char **env, const char *name)
{
	const char *found = NULL;
	size_t n = strlen(name);

	for (; *env; env++)
		if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
			found = *env + n + 1;
	return found;
}

TestSuite(worker_environment, .init = set_up, .fini = tear_down);

Test(worker_environment, is_lambdas_with_the_functions_own_over_it)
{
	static const char *const wanted[][2] = {
		{"AWS_LAMBDA_RUNTIME_API", "127.0.0.1:4001"},
		{"AWS_LAMBDA_FUNCTION_NAME", "chat-dev-ping"},
		{"AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"},
		{"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"},
		{"AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"},
		{"AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/chat-dev-ping"},
		{"AWS_LAMBDA_LOG_STREAM_NAME", "fn-ping-0"},
		{"AWS_EXECUTION_ENV", "AWS_Lambda_nodejs20.x"},
		{"LAMBDA_TASK_ROOT", "/srv/chat"},
		{"_HANDLER", "src/handler.ping"},
		{"AWS_REGION", "eu-central-1"},
		{"AWS_DEFAULT_REGION", "eu-central-1"},
		{"AWS_ACCESS_KEY_ID", "GPKEYOFPING"},
		{"AWS_SECRET_ACCESS_KEY", "secret-of-ping"},
		{"AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:8081"},
		{"AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI", "http://127.0.0.1:8081"},
		{"GATEPOST_MANAGEMENT", "http://127.0.0.1:8081"},
		{"GREETING", "hello"},
		{"TZ", "Europe/Berlin"}, /* the last one counts */
	};
	char **env = worker_environment(&plan);

	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
		cr_expect_str_eq(value(env, wanted[i][0]), wanted[i][1], "%s",
				 wanted[i][0]);
	cr_expect_str_eq(env[0], "AWS_LAMBDA_RUNTIME_API=127.0.0.1:4001");
	words_free(env);
}

/* With credentials of its own home a worker has no key, and its function is named in the endpoint. */
static void expect_own_credentials(bool are_there)
{
	char **env = worker_environment(&plan);
	const char *id = value(env, "AWS_ACCESS_KEY_ID");

	cr_expect_eq(id == NULL, are_there);
	cr_expect_str_eq(value(env, "AWS_ENDPOINT_URL_DYNAMODB"),
			 are_there ? "http://127.0.0.1:8081/functions/ping"
				   : "http://127.0.0.1:8081");
	words_free(env);
}

Test(worker_environment, region_and_credentials_that_are_there_stay)
{
	setenv("AWS_REGION", "us-west-2", 1);
	setenv("AWS_PROFILE", "mine", 1);
	char **env = worker_environment(&plan);

	cr_expect_null(value(env, "AWS_REGION"));
	cr_expect_null(value(env, "AWS_ACCESS_KEY_ID"));
	cr_expect_null(value(env, "AWS_SECRET_ACCESS_KEY"));
	words_free(env);
	expect_own_credentials(true);
}

Test(worker_environment, no_key_hides_the_credentials_of_a_file)
{
	char *path = file("mine", "[default]\naws_access_key_id = MINE\n");

	expect_own_credentials(false);
	setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
	expect_own_credentials(true);
	free(path);
}

Test(worker_environment, no_key_hides_single_sign_on)
{
	char *path = file("config", "[default]\nregion = eu-west-1\n");

	setenv("AWS_CONFIG_FILE", path, 1);
	expect_own_credentials(false); /* a region alone */
	free(path);
	path = file("config", "[default]\nsso_session = mine\n");
	expect_own_credentials(true);
	free(path);
}

Test(worker_environment, no_key_hides_a_role_of_a_container_or_a_web_identity)
{
	setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/token", 1);
	expect_own_credentials(true);
	unsetenv("AWS_WEB_IDENTITY_TOKEN_FILE");
	setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x", 1);
	expect_own_credentials(true);
	unsetenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	expect_own_credentials(false);
}

Test(worker_environment, an_endpoint_that_is_there_stays)
{
	static const char *const names[] = {"AWS_ENDPOINT_URL",
					    "AWS_ENDPOINT_URL_DYNAMODB"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		setenv(names[i], "http://localhost:4566", 1);
		char **env = worker_environment(&plan);

		cr_expect_null(value(env, "AWS_ENDPOINT_URL_DYNAMODB"), "%s", names[i]);
		words_free(env);
		unsetenv(names[i]);
	}
}

Test(worker_environment, without_tables_those_of_aws_are_found)
{
	config.has_tables = false;
	char **env = worker_environment(&plan);

	cr_expect_null(value(env, "AWS_ENDPOINT_URL_DYNAMODB"));
	cr_expect_not_null(value(env, "AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI"));
	words_free(env);
}
