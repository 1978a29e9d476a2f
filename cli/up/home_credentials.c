#include "cli/up/home_credentials.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MOST = 1 << 20, VENDOR_MOST = 64 };

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

static bool environment_has(void)
{
	static const char *const names[] = {
		"AWS_PROFILE",
		"AWS_ACCESS_KEY_ID",
		"AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (is_set(names[i]))
			return true;
	return false;
}

/* At most `most` bytes of a file, freed by the caller; NULL: it cannot be read. */
static char *text_of(const char *path, size_t most)
{
	FILE *in = fopen(path, "re");
	char *text;

	if (in == NULL)
		return NULL;
	text = xmalloc(most + 1);
	text[fread(text, 1, most, in)] = '\0';
	fclose(in);
	return text;
}

/* Does the file have one of these words? */
static bool file_has(const char *path, const char *const *words)
{
	char *text = text_of(path, FILE_MOST);
	bool has = false;

	for (; text && !has && *words; words++)
		has = strstr(text, *words) != NULL;
	free(text);
	return has;
}

/* The file that the variable names, else the one below ~/.aws; freed by the caller. */
static char *file_of(const char *variable, const char *name)
{
	const char *home = getenv("HOME");

	if (is_set(variable))
		return xstrdup(getenv(variable));
	return xasprintf("%s/.aws/%s", home ? home : "", name);
}

/* A file with a region alone has none. */
static bool files_have(void)
{
	static const char *const words[] = {
		"aws_access_key_id",
		"credential_process",
		"credential_source",
		"login_session",
		"role_arn",
		"sso_",
		NULL,
	};
	char *credentials = file_of("AWS_SHARED_CREDENTIALS_FILE", "credentials");
	char *config = file_of("AWS_CONFIG_FILE", "config");
	bool have = file_has(credentials, words) || file_has(config, words);

	free(credentials);
	free(config);
	return have;
}

/* An instance may have a role. */
static bool is_instance(void)
{
	const char *off = getenv("AWS_EC2_METADATA_DISABLED");
	char *vendor;
	bool is_ec2;

	if (off && strcmp(off, "true") == 0)
		return false;
	vendor = text_of("/sys/devices/virtual/dmi/id/sys_vendor", VENDOR_MOST);
	is_ec2 = vendor && strncmp(vendor, "Amazon EC2", 10) == 0;
	free(vendor);
	return is_ec2;
}

bool home_credentials_exist(void)
{
	return environment_has() || files_have() || is_instance();
}
