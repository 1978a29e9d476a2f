#include "store/redis_error.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

struct row {
	char text[80];
	enum err want;
};

ParameterizedTestParameters(redis_error, becomes_the_code_that_says_whether_to_try_again)
{
	static struct row rows[] = {
		{"LOADING Redis is loading the dataset in memory", ERR_DOWN},
		{"READONLY You can't write against a read only replica.", ERR_DOWN},
		{"OOM command not allowed when used memory > 'maxmemory'.", ERR_DOWN},
		{"MASTERDOWN Link with MASTER is down", ERR_DOWN},
		{"CLUSTERDOWN Hash slot not served", ERR_DOWN},
		{"MISCONF Redis is configured to save RDB snapshots", ERR_DOWN},
		{"BUSY Redis is busy running a script.", ERR_DOWN},
		{"NOAUTH Authentication required.", ERR_DOWN},
		{"WRONGPASS invalid username-password pair", ERR_DOWN},
		{"NOPERM this user has no permissions", ERR_DOWN},
		{"MOVED 3999 127.0.0.1:6381", ERR_DOWN},
		{"WRONGTYPE Operation against a key", ERR_MALFORMED},
		{"ERR unknown command 'HSET'", ERR_MALFORMED},
		{"OOMPH", ERR_MALFORMED},
		{"", ERR_MALFORMED},
	};
	return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct row *r, redis_error,
		  becomes_the_code_that_says_whether_to_try_again)
{
	cr_assert(eq(int, redis_error_take(r->text, "HSET", "k"), r->want), "%s",
		  r->text);
}

Test(redis_error, knows_a_missing_script)
{
	cr_assert(
		redis_error_is_noscript("NOSCRIPT No matching script. Please use EVAL."));
	cr_assert(not(redis_error_is_noscript("NOSCRIPTS")));
	cr_assert(not(redis_error_is_noscript("ERR NOSCRIPT")));
}
