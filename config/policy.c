#include "config/policy.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char service[] = "dynamodb";

static char lower(uint8_t c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
}

static bool is_same(uint8_t a, uint8_t b, bool any_case)
{
	return a == b || (any_case && lower(a) == lower(b));
}

/* * is any bytes, ? is one. After a mismatch the last * takes one byte more: no recursion. */
static bool matches(struct span pattern, struct span text, bool any_case)
{
	size_t p = 0, t = 0, star = SIZE_MAX, taken = 0;

	while (t < text.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			taken = t;
		} else if (p < pattern.n &&
			   (pattern.p[p] == '?' ||
			    is_same(pattern.p[p], text.p[t], any_case))) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++taken;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}

/* ---- actions */

static bool has_action(const struct config_statement *s, struct span action)
{
	for (size_t i = 0; i < s->n_actions; i++)
		if (matches(span_str(s->actions[i]), action, true))
			return !s->but_actions;
	return s->but_actions;
}

bool policy_is_ours(const char *action)
{
	const char *colon = strchr(action, ':');

	if (colon == NULL)
		return strchr(action, '*') != NULL;
	return matches(span_of(action, (size_t)(colon - action)), span_str(service),
		       true);
}

/* ---- resources */

/* The part up to the next colon; the rest is behind it. False: there is no colon. */
static bool cut(struct span *rest, struct span *part)
{
	const uint8_t *colon = rest->n ? memchr(rest->p, ':', rest->n) : NULL;
	size_t n;

	if (colon == NULL)
		return false;
	n = (size_t)(colon - rest->p);
	*part = span_of(rest->p, n);
	*rest = span_of(rest->p + n + 1, rest->n - n - 1);
	return true;
}

/*
 * arn:partition:service:region:account:table/NAME. With fewer colons a * stands for several
 * parts: then it is compared as a whole, with the pattern's own partition and region.
 */
static bool is_resource(const char *pattern, struct span what)
{
	enum { PARTITION = 1, SERVICE = 2, REGION = 3, PARTS = 5 };
	struct span rest = span_str(pattern), parts[PARTS] = {0};
	char *whole;
	bool yes;
	int n = 0;

	while (n < PARTS && cut(&rest, &parts[n]))
		n++;
	if (n == PARTS)
		return matches(parts[SERVICE], span_str(service), false) &&
		       matches(rest, what, false);
	if (n <= PARTITION)
		parts[PARTITION] = span_str("aws");
	if (n <= REGION)
		parts[REGION] = span_str("-");
	whole = xasprintf("arn:%.*s:%s:%.*s:-:%.*s", SPAN_ARG(parts[PARTITION]), service,
			  SPAN_ARG(parts[REGION]), SPAN_ARG(what));
	yes = matches(span_str(pattern), span_str(whole), false);
	free(whole);
	return yes;
}

static bool has_resource(const struct config_statement *s, struct span what)
{
	for (size_t i = 0; i < s->n_resources; i++)
		if (is_resource(s->resources[i], what))
			return !s->but_resources;
	return s->but_resources;
}

/* ---- the answer */

bool policy_may(const struct config_statement *list, size_t n, const char *action,
		struct span table, struct span index)
{
	char *full = xasprintf("%s:%s", service, action);
	char *what = xasprintf("table/%.*s%s%.*s", SPAN_ARG(table),
			       index.n ? "/index/" : "", SPAN_ARG(index));
	bool allowed = false, denied = false;

	for (size_t i = 0; i < n; i++) {
		if (!has_action(&list[i], span_str(full)) ||
		    !has_resource(&list[i], span_str(what)))
			continue;
		allowed = allowed || !list[i].denies;
		denied = denied || list[i].denies;
	}
	free(full);
	free(what);
	return allowed && !denied;
}

bool policy_may_function(const struct config *c, const struct config_function *f,
			 const char *action, struct span table, struct span index)
{
	return !c->has_statements ||
	       policy_may(f->statements, f->n_statements, action, table, index);
}
