#include "config/nearest.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

enum { LONGEST = 48 }; /* letters; no known name is longer */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Letters to insert, remove, replace, or swap with their neighbour (optimal string alignment). */
static size_t slips(const char *a, size_t n, const char *b, size_t m)
{
	size_t d[LONGEST + 1][LONGEST + 1];

	for (size_t i = 0; i <= n; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= m; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= n; i++)
		for (size_t j = 1; j <= m; j++) {
			size_t other = tolower((unsigned char)a[i - 1]) !=
				       tolower((unsigned char)b[j - 1]);

			d[i][j] = least(least(d[i - 1][j], d[i][j - 1]) + 1,
					d[i - 1][j - 1] + other);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	return d[n][m];
}

const char *nearest_name(const char *written, const char *const *names)
{
	const char *best = NULL;
	size_t n = strlen(written), best_slips = 3;

	if (n > LONGEST)
		return NULL;
	for (; *names; names++) {
		size_t m = strlen(*names);
		size_t k = m <= LONGEST ? slips(written, n, *names, m) : best_slips;

		if (k < best_slips && k <= (n < 6 ? 1 : 2) && k < m) {
			best = *names;
			best_slips = k;
		}
	}
	return best;
}
