#include "cli/up/home.h"

#include "base/mem.h"
#include "cli/client/http_client.h"

#include <stdlib.h>
#include <string.h>

/* The next broker with a known metrics address. */
static const struct child *next_broker(const struct supervisor *s, size_t *at)
{
	const struct child *c = supervisor_next(s, at);

	while (c && (c->role != ROLE_BROKER || c->metrics == NULL))
		c = supervisor_next(s, at);
	return c;
}

/* The sum of the counter over all its labels; -1 when the broker does not say. */
static int64_t events_of(const struct child *broker)
{
	static const char name[] = "\ngatepost_broker_events_total";
	char *url = xasprintf("%s/metrics", broker->metrics);
	struct http_reply r;
	int64_t sum = -1;

	if (http_call("GET", url, NULL, &r) == OK && r.status == 200)
		for (const char *at = r.body; (at = strstr(at, name)); at++) {
			const char *value = at + strlen(name);

			value += strcspn(value, " \n");
			sum = (sum < 0 ? 0 : sum) + strtoll(value, NULL, 10);
		}
	http_reply_free(&r);
	free(url);
	return sum;
}

void home_count(const struct supervisor *s, struct home_counts *out)
{
	const struct child *c;

	out->n = 0;
	for (size_t at = 0; out->n < HOME_BROKERS && (c = next_broker(s, &at));)
		out->events[out->n++] = events_of(c);
}

const struct child *home_find(const struct supervisor *s, const struct home_counts *since)
{
	struct home_counts now;
	const struct child *home = NULL;
	int64_t most = 0;
	size_t at = 0;

	home_count(s, &now);
	for (size_t i = 0; i < now.n && i < since->n; i++) {
		const struct child *c = next_broker(s, &at);

		if (now.events[i] - since->events[i] <= most)
			continue;
		most = now.events[i] - since->events[i];
		home = c;
	}
	return home;
}

const struct child *home_other(const struct supervisor *s, const struct child *home)
{
	const struct child *c;

	for (size_t at = 0; (c = next_broker(s, &at));)
		if (c != home)
			return c;
	return home;
}
