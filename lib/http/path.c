#include "http/path.h"

bool path_below(struct span path, const char *first, struct span *rest)
{
	size_t n = strlen(first);

	if (path.n < n + 2 || path.p[0] != '/' || memcmp(path.p + 1, first, n) != 0 ||
	    path.p[n + 1] != '/')
		return false;
	*rest = span_of(path.p + n + 1, path.n - n - 1);
	return true;
}

bool path_is(struct span path, const char *part)
{
	struct span rest;

	if (path_below(path, part, &rest))
		return rest.n == 1;
	return path.n == strlen(part) + 1 && path.p[0] == '/' &&
	       memcmp(path.p + 1, part, path.n - 1) == 0;
}

/* The part before the next slash; *at goes behind it. False behind the last one, which may be empty. */
static bool next_part(struct span *at, struct span *part)
{
	const uint8_t *slash;

	if (at->p == NULL)
		return false;
	slash = memchr(at->p, '/', at->n);
	*part = span_of(at->p, slash ? (size_t)(slash - at->p) : at->n);
	*at = slash ? span_of(slash + 1, at->n - part->n - 1) : span_of(NULL, 0);
	return true;
}

static bool is_parameter(struct span part)
{
	return part.n > 2 && part.p[0] == '{' && part.p[part.n - 1] == '}';
}

/* Of two that match, the one that names more of the path itself; all of them before those that are greedy. */
int path_rank(const char *pattern, struct span path)
{
	enum { OWN = 2, PARAMETER = 1, WHOLE = 1000000 };
	struct span want = span_str(pattern), w, have;
	int rank = 1;

	while (next_part(&want, &w)) {
		if (is_parameter(w) && w.p[w.n - 2] == '+')
			return path.n > 0 ? rank : 0;
		if (!next_part(&path, &have))
			return 0;
		if (span_eq(w, have))
			rank += OWN;
		else if (is_parameter(w) && have.n > 0)
			rank += PARAMETER;
		else
			return 0;
	}
	return path.p == NULL ? WHOLE + rank : 0;
}
