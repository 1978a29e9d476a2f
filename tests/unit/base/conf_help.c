#include "base/conf.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

struct fields {
	int64_t size;
	const char *path;
};

static const struct conf_key keys[] = {
	CONF_BYTES(struct fields, size, "max-message", "16MiB", 1, 64 << 20,
		   ".largest message\\frame"),
	CONF_TEXT(struct fields, path, "path", NULL, "where it is"),
};
static const struct conf_table table = {"gatepost-edge", "Terminates WebSockets.", keys,
					2, NULL};

static char *printed(void (*print)(const struct conf_table *, FILE *))
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	print(&table, out);
	fclose(out);
	return text;
}

Test(conf_help, every_row_shows_its_default_range_and_unit)
{
	char *text = printed(conf_help);

	cr_assert(strstr(text, "--max-message SIZE\n") != NULL);
	cr_assert(
		strstr(text,
		       "default: 16MiB; allowed: 1 to 64MiB, as 4096, 64KiB, 16MiB\n") !=
		NULL);
	cr_assert(strstr(text,
			 "--path TEXT\n      where it is\n      default: not set\n") !=
		  NULL);
	cr_assert(strstr(text, "--settings TEXT\n") != NULL);
	free(text);
}

Test(conf_help, the_manual_has_no_line_that_roff_takes_for_its_own)
{
	char *text = printed(conf_man);

	cr_assert(strstr(text, "\\fB\\-\\-max\\-message\\fR") != NULL);
	cr_assert(strstr(text, "\n\\&.largest message\\eframe.\n") != NULL);
	free(text);
}
