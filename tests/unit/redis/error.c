#include "redis/error.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

struct row {
	char text[160];
	enum err want;
};

ParameterizedTestParameters(redis_error, becomes_the_code_that_says_whether_to_try_again)
{
	static struct row rows[] = {
		{"LOADING Redis is loading the dataset in memory", ERR_BUSY},
		{"READONLY You can't write against a read only replica.", ERR_BUSY},
		{"OOM command not allowed when used memory > 'maxmemory'.", ERR_BUSY},
		{"MASTERDOWN Link with MASTER is down", ERR_BUSY},
		{"CLUSTERDOWN Hash slot not served", ERR_BUSY},
		{"MISCONF Redis is configured to save RDB snapshots", ERR_BUSY},
		{"BUSY Redis is busy running a script.", ERR_BUSY},
		{"NOAUTH Authentication required.", ERR_BUSY},
		{"WRONGPASS invalid username-password pair", ERR_BUSY},
		{"NOPERM this user has no permissions", ERR_BUSY},
		{"MOVED 3999 127.0.0.1:6381", ERR_BUSY},
		{"TRYAGAIN Multiple keys request during rehashing of slot", ERR_BUSY},
		{"NOREPLICAS Not enough good replicas to write.", ERR_BUSY},
		{"ASK 3999 127.0.0.1:6381", ERR_BUSY},
		{"DENIED Redis is running in protected mode", ERR_BUSY},
		{"ERR max number of clients reached", ERR_BUSY},
		{"OOM command not allowed. script: 1f, on @user_script:1.", ERR_BUSY},
		{"ERR Error running script (call to f_1f): @user_script:1: "
		 "@user_script: 1: -OOM command not allowed",
		 ERR_BUSY},
		{"ERR Error running script (call to f_1f): @user_script:12: WRONGTYPE "
		 "Operation",
		 ERR_MALFORMED},
		{"NOPERM no permissions script: 1f, on @user_script:9.", ERR_DOWN},
		{"ERR The user executing the script can't run this command script: 1f, "
		 "on @user_script:1.",
		 ERR_DOWN},
		{"ERR Error running script: @user_script: OOM command not allowed",
		 ERR_BUSY},
		{"ERR Error running script: @user_script: NOPERM no permissions",
		 ERR_DOWN},
		{"CROSSSLOT Keys in request don't hash to the same slot", ERR_DENIED},
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

Test(redis_error, knows_a_replica)
{
	cr_assert(redis_error_is_replica("READONLY You can't write"));
	cr_assert(redis_error_is_replica("MASTERDOWN Link with MASTER is down"));
	cr_assert(redis_error_is_replica("ERR Error running script (call to f_1f): "
					 "@user_script:1: @user_script: 1: -READONLY "));
	cr_assert(not(redis_error_is_replica("OOM command not allowed")));
}
