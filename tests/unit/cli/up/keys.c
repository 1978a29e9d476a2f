#include "cli/up/keys.h"

#include "aws/credentials.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[32];
static struct config_function functions[] = {
	{.name = (char *)"rooms"},
	{.name = (char *)"page", .sort = CONFIG_HTTP},
	{.name = (char *)"with a blank"},
	{.name = (char *)"later"},
};

static void set_up(void)
{
	strcpy(folder, "/tmp/gatepost-unit-XXXXXX");
	cr_assert(ne(ptr, mkdtemp(folder), NULL));
}

static void tear_down(void)
{
	char *path = xasprintf("%s/function-keys", folder);

	unlink(path);
	rmdir(folder);
	free(path);
}

TestSuite(keys, .init = set_up, .fini = tear_down);

/* The file as a broker reads it. */
static struct credentials *read_back(const struct keys *k)
{
	char text[4096], why[200];
	struct credentials *c;
	struct stat st;
	FILE *in = fopen(keys_file(k), "r");
	size_t n = fread(text, 1, sizeof text, in);

	cr_assert(zero(int, fstat(fileno(in), &st)));
	cr_expect(eq(int, st.st_mode & 0777, 0600));
	fclose(in);
	cr_assert(eq(int, credentials_parse(span_of(text, n), &c, why, sizeof why), OK),
		  "%s", why);
	return c;
}

Test(keys, each_function_with_workers_has_one_of_its_own)
{
	struct keys *k = keys_new(folder);
	struct config c = {.functions = functions, .n_functions = 3};
	const struct key_pair *rooms;
	struct credentials *read;

	cr_assert(keys_write(k, &c));
	rooms = keys_find(k, "rooms");
	cr_assert(eq(sz, strlen(rooms->id), 20));
	cr_assert(eq(sz, strlen(rooms->secret), 40));
	cr_expect(eq(ptr, (void *)keys_find(k, "page"), NULL));
	cr_expect(eq(ptr, (void *)keys_find(k, "with a blank"), NULL));
	read = read_back(k);
	cr_expect(eq(str, credentials_of_key(read, span_str(rooms->id))->function,
		     (char *)"rooms"));
	credentials_free(read);
	keys_free(k);
}

Test(keys, those_that_are_there_stay_when_a_function_is_added)
{
	struct keys *k = keys_new(folder);
	struct config c = {.functions = functions, .n_functions = 3};
	const struct key_pair *rooms;
	struct credentials *read;

	cr_assert(keys_write(k, &c));
	rooms = keys_find(k, "rooms");
	c.n_functions = 4;
	cr_assert(keys_write(k, &c));
	cr_expect(eq(ptr, (void *)keys_find(k, "rooms"), (void *)rooms));
	cr_expect(ne(str, (char *)keys_find(k, "later")->id, (char *)rooms->id));
	read = read_back(k);
	cr_expect(eq(sz, credentials_count(read), 3));
	credentials_free(read);
	keys_free(k);
}

Test(keys, without_functions_the_file_can_be_read)
{
	struct keys *k = keys_new(folder);
	struct config c = {.functions = functions};

	cr_assert(keys_write(k, &c));
	credentials_free(read_back(k));
	keys_free(k);
}
