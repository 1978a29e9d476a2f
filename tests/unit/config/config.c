#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void check_found(const char *folder, const char *want)
{
	char *found = config_find(folder);

	cr_expect(eq(str, found ? found : (char *)"", (char *)want));
	free(found);
}

Test(config, is_found_as_gatepost_yml_before_serverless_yml)
{
	struct fixture b = {0};
	char want[80];

	fixture_file(&b, "other.yml", "");
	check_found(b.folder, "");
	fixture_file(&b, "serverless.yml", "");
	snprintf(want, sizeof want, "%s/serverless.yml", b.folder);
	check_found(b.folder, want);
	fixture_file(&b, "gatepost.yml", "");
	snprintf(want, sizeof want, "%s/gatepost.yml", b.folder);
	check_found(b.folder, want);
	cr_assert(zero(int, chdir(b.folder)));
	check_found(".", "gatepost.yml");
	fixture_close(&b);
}

Test(config, of_nothing_can_be_freed)
{
	config_free(NULL);
}
