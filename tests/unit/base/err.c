#include "base/err.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

Test(err, every_code_has_a_name_of_its_own)
{
	for (int a = OK; a <= ERR_DOWN; a++)
		for (int b = OK; b < a; b++)
			cr_assert(ne(str, (char *)err_name((enum err)a),
				     (char *)err_name((enum err)b)));
}
