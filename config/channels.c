#include "config/channels.h"

#include "base/utf8.h"

enum { LONGEST_CHANNEL = 255 };

/* The order of config.namespaces: that of strcmp(3). */
static int compare(struct span name, const char *with)
{
	size_t n = strlen(with);
	int order = memcmp(name.p, with, name.n < n ? name.n : n);

	return order ? order : (name.n > n) - (name.n < n);
}

const struct config_namespace *config_namespace(const struct config *c,
						struct span channel)
{
	const uint8_t *colon = channel.n ? memchr(channel.p, ':', channel.n) : NULL;
	struct span name = colon ? span_of(channel.p, (size_t)(colon - channel.p))
				 : span_str("default");
	size_t low = 0, high = c->n_namespaces;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare(name, c->namespaces[middle].name);

		if (order == 0)
			return &c->namespaces[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

bool channel_name_ok(struct span channel)
{
	uint32_t state = 0;

	if (channel.n == 0 || channel.n > LONGEST_CHANNEL ||
	    !utf8_feed(&state, channel) || !utf8_is_whole(state))
		return false;
	for (size_t i = 0; i < channel.n; i++) {
		uint8_t c = channel.p[i];

		if (c < ' ' || c == 0x7f || c == '*' || c == '{' || c == '}')
			return false;
		/* U+0080 to U+009F, the control characters of Latin-1 */
		if (c == 0xc2 && channel.p[i + 1] < 0xa0)
			return false;
	}
	return true;
}
