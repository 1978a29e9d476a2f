#include "config/channels.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

static const char *name_of(const struct config *c, const char *channel)
{
	const struct config_namespace *ns = config_namespace(c, span_str(channel));

	return ns ? ns->name : "";
}

Test(channels, a_namespace_is_what_stands_before_the_first_colon)
{
	struct fixture b = {0};

	fixture_read(&b, FIXTURE_ANY "gatepost: { channels: { room: {}, ro: {}, roomy: "
				     "{}, default: {}, a: {}, z: {} } }\n");
	cr_assert(eq(str, b.errors, ""));
	cr_expect(eq(str, (char *)name_of(b.config, "room:1"), "room"));
	cr_expect(eq(str, (char *)name_of(b.config, "room:1:2"), "room"));
	cr_expect(eq(str, (char *)name_of(b.config, "ro:1"), "ro"));
	cr_expect(eq(str, (char *)name_of(b.config, "roomy:"), "roomy"));
	cr_expect(eq(str, (char *)name_of(b.config, "a:"), "a"));
	cr_expect(eq(str, (char *)name_of(b.config, "z:x"), "z"));
	cr_expect(eq(str, (char *)name_of(b.config, "room"), "default"));
	cr_expect(eq(str, (char *)name_of(b.config, "default:1"), "default"));
	cr_expect(eq(str, (char *)name_of(b.config, "roo:1"), ""));
	cr_expect(eq(str, (char *)name_of(b.config, ":1"), ""));
	fixture_close(&b);
}

Test(channels, without_a_default_namespace_a_name_without_colon_has_none)
{
	struct fixture b = {0};

	fixture_read(&b, FIXTURE_ANY "gatepost: { channels: { room: {} } }\n");
	cr_expect(eq(str, (char *)name_of(b.config, "room"), ""));
	fixture_close(&b);
	b = (struct fixture){0};
	fixture_read(&b, FIXTURE_ANY);
	cr_expect(eq(str, (char *)name_of(b.config, "room"), ""));
	fixture_close(&b);
}

Test(channels, a_name_is_255_bytes_of_text_at_most)
{
	char name[257];

	memset(name, 'n', sizeof name);
	cr_expect(channel_name_ok(span_of(name, 255)));
	cr_expect(not(channel_name_ok(span_of(name, 256))));
	cr_expect(not(channel_name_ok(span_of(name, 0))));
	cr_expect(channel_name_ok(span_str("room:1")));
	cr_expect(channel_name_ok(span_str("user:#u1,u2")));
	cr_expect(channel_name_ok(span_str("Gr\xc3\xbc\xc3\x9f\x65 \xc2\xa0")));
	cr_expect(not(channel_name_ok(span_str("room:*"))));
	cr_expect(not(channel_name_ok(span_str("room:{1"))));
	cr_expect(not(channel_name_ok(span_str("room:1}"))));
	cr_expect(not(channel_name_ok(span_str("room\n"))));
	cr_expect(not(channel_name_ok(span_str("room\x7f"))));
	cr_expect(not(channel_name_ok(span_str("room\xc2\x85"))));
	cr_expect(not(channel_name_ok(span_of("room\0", 5))));
	cr_expect(not(channel_name_ok(span_str("room\xc3"))));
	cr_expect(not(channel_name_ok(span_str("room\xff"))));
}
