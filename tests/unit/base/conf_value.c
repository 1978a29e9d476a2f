#include "base/conf_value.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

struct fields {
	int64_t number;
	bool yes;
	const char *text;
};

static const struct conf_key size =
	CONF_BYTES(struct fields, number, "size", "4096", 1, 64 << 20, "a size");
static const struct conf_key time_row =
	CONF_MSEC(struct fields, number, "time", "25s", 0, 86400000, "a time");
static const struct conf_key number =
	CONF_INT(struct fields, number, "number", "2", -5, INT64_MAX, "a number");
static const struct conf_key choice =
	CONF_CHOICE(struct fields, number, "choice", "text", "text|json", "a choice");
static const struct conf_key yes =
	CONF_BOOL(struct fields, yes, "yes", "false", "yes or no");

static int64_t good(const struct conf_key *k, const char *text)
{
	struct fields f = {0};

	cr_assert(conf_value_read(k, &f, text) == NULL, "%s", text);
	return f.number;
}

static void bad(const struct conf_key *k, const char *text, const char *want)
{
	struct fields f = {.number = 77};
	const char *why = conf_value_read(k, &f, text);

	cr_assert(why != NULL, "%s", text);
	cr_assert(eq(str, (char *)why, (char *)want), "%s", text);
	cr_assert(eq(i64, f.number, 77), "%s", text);
}

Test(conf_value, sizes_have_units_of_1024)
{
	cr_assert(eq(i64, good(&size, "4096"), 4096));
	cr_assert(eq(i64, good(&size, "7B"), 7));
	cr_assert(eq(i64, good(&size, "64KiB"), 65536));
	cr_assert(eq(i64, good(&size, "64MiB"), 64 << 20));
	bad(&size, "12 apples", "not a size");
	bad(&size, "4096 ", "not a size");
	bad(&size, "1.5MiB", "not a size");
	bad(&size, "1MB", "not a size");
	bad(&size, "KiB", "not a size");
	bad(&size, "", "not a size");
	bad(&size, "1GiB", "too large");
	bad(&size, "0", "too small");
	bad(&size, "-1", "too small");
}

/* GATEPOST_IDLE_TIMEOUT=600 was read as 600 ms, and closed everybody after 0.6 s. */
Test(conf_value, a_time_without_a_unit_is_refused_but_for_0)
{
	cr_assert(eq(i64, good(&time_row, "0"), 0));
	bad(&time_row, "600", "not a time with its unit");
	bad(&time_row, "00600", "not a time with its unit");
	bad(&time_row, "", "not a time with its unit");
}

Test(conf_value, times_have_units)
{
	cr_assert(eq(i64, good(&time_row, "0ms"), 0));
	cr_assert(eq(i64, good(&time_row, "250ms"), 250));
	cr_assert(eq(i64, good(&time_row, "25s"), 25000));
	cr_assert(eq(i64, good(&time_row, "5m"), 300000));
	cr_assert(eq(i64, good(&time_row, "2h"), 7200000));
	bad(&time_row, "1d", "not a time with its unit");
	bad(&time_row, "25h", "too large");
}

Test(conf_value, numbers_do_not_wrap)
{
	cr_assert(eq(i64, good(&number, "9223372036854775807"), INT64_MAX));
	cr_assert(eq(i64, good(&number, "-5"), -5));
	bad(&number, "9223372036854775808", "not a number");
	bad(&number, "0x10", "not a number");
	bad(&number, "--5", "not a number");
	bad(&size, "9007199254740993GiB", "not a size");
}

Test(conf_value, a_choice_is_one_whole_word)
{
	cr_assert(eq(i64, good(&choice, "text"), 0));
	cr_assert(eq(i64, good(&choice, "json"), 1));
	bad(&choice, "jso", "none of the choices");
	bad(&choice, "text|json", "none of the choices");
	bad(&choice, "", "none of the choices");
}

Test(conf_value, a_bool_is_true_or_false)
{
	struct fields f = {0};

	cr_assert(conf_value_read(&yes, &f, "true") == NULL);
	cr_assert(f.yes);
	cr_assert(conf_value_read(&yes, &f, "false") == NULL);
	cr_assert(not(f.yes));
	cr_assert(conf_value_read(&yes, &f, "yes") != NULL);
}

Test(conf_value, what_is_allowed_is_said_in_the_largest_unit)
{
	char out[256];

	cr_assert(eq(str, (char *)conf_value_allowed(&size, out, sizeof out),
		     "1 to 64MiB, as 4096, 64KiB, 16MiB"));
	cr_assert(eq(str, (char *)conf_value_allowed(&time_row, out, sizeof out),
		     "0 to 24h, as 250ms, 25s, 5m, 2h"));
	cr_assert(eq(str, (char *)conf_value_allowed(&choice, out, sizeof out),
		     "text, json"));
}
