#include "fixture.h"

#include "config/nearest.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

static const char *const names[] = {"route", "routeResponseSelectionExpression",
				    "authorizer", "stage", NULL};

Test(nearest, finds_a_name_that_was_mistyped)
{
	cr_expect(eq(str, (char *)nearest_name("rout", names), "route"));
	cr_expect(eq(str, (char *)nearest_name("rotue", names), "route"));
	cr_expect(eq(str, (char *)nearest_name("ROUTE", names), "route"));
	cr_expect(eq(str, (char *)nearest_name("autorizr", names), "authorizer"));
	cr_expect(eq(str, (char *)nearest_name("routeResponseSelectionExpresion", names),
		     "routeResponseSelectionExpression"));
}

Test(nearest, does_not_guess_at_what_is_far_away)
{
	char long_name[200] = {0};

	memset(long_name, 'x', sizeof long_name - 1);
	cr_expect(eq(ptr, (void *)nearest_name("tags", names), NULL));
	cr_expect(eq(ptr, (void *)nearest_name("cors", names), NULL));
	cr_expect(eq(ptr, (void *)nearest_name("", names), NULL));
	cr_expect(eq(ptr, (void *)nearest_name(long_name, names), NULL));
}
