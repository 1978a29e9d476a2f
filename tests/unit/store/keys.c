#include "store/keys.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

Test(keys, of_one_edge_share_its_hash_tag_and_the_brokers_share_m)
{
	char key[KEYS_TEXT];

	cr_assert(eq(str, (char *)keys_connections("gatepost:", 7, key),
		     "gatepost:{e7}:connections"));
	cr_assert(
		eq(str, (char *)keys_lease("gatepost:", 7, key), "gatepost:{e7}:lease"));
	cr_assert(eq(str, (char *)keys_owner("gatepost:", 65535, key),
		     "gatepost:{e65535}:owner"));
	cr_assert(eq(str, (char *)keys_disconnects("", 1, key), "{e1}:disconnects"));
	cr_assert(eq(str, (char *)keys_due("", 1, key), "{e1}:due"));
	cr_assert(eq(str, (char *)keys_synced("", 1, key), "{e1}:synced"));
	cr_assert(eq(str, (char *)keys_dead_letters("x:", key), "x:{m}:parked"));
	cr_assert(eq(str, (char *)keys_edges("", key), "{m}:edges"));
	cr_assert(eq(str, (char *)keys_members("x:", key), "x:{m}:members"));
	cr_assert(eq(str, (char *)keys_cluster("x:", key), "x:{m}:cluster"));
}

Test(keys, fit_with_the_longest_prefix)
{
	char prefix[KEYS_PREFIX_MAX + 2], key[KEYS_TEXT];

	memset(prefix, 'p', sizeof prefix);
	prefix[KEYS_PREFIX_MAX] = '\0';
	cr_assert(eq(int, keys_check_prefix(prefix), OK));
	cr_assert(eq(sz, strlen(keys_disconnects(prefix, 65535, key)),
		     KEYS_PREFIX_MAX + 20));

	prefix[KEYS_PREFIX_MAX] = 'p';
	prefix[KEYS_PREFIX_MAX + 1] = '\0';
	cr_assert(eq(int, keys_check_prefix(prefix), ERR_MALFORMED));
}

Test(keys, have_no_prefix_that_breaks_a_hash_tag_or_a_pattern)
{
	static const char *const bad[] = {"{",   "a}",  "a*",  "a?",
					  "[a]", "a b", "a\n", "ä"};

	cr_assert(eq(int, keys_check_prefix(""), OK));
	cr_assert(eq(int, keys_check_prefix("prod/gatepost-2_b.c:"), OK));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		cr_assert(eq(int, keys_check_prefix(bad[i]), ERR_MALFORMED), "%s",
			  bad[i]);
}

Test(keys, of_one_channel_share_its_name_as_hash_tag_and_may_have_any_bytes_behind_it)
{
	char key[KEYS_CHANNEL_TEXT], name[255], follows[255], prefix[KEYS_PREFIX_MAX + 1];
	size_t n = keys_channel("gatepost:", span_str("room:1"), "position",
				(struct span){0}, key);

	cr_assert(span_is(span_of(key, n), "gatepost:{room:1}:position"));
	n = keys_channel("", span_str("e1"), "key:", span_of("a\0b", 3), key);
	cr_assert(span_eq(span_of(key, n), span_of("{e1}:key:a\0b", 12)));

	memset(name, 'n', sizeof name);
	memset(follows, 'f', sizeof follows);
	memset(prefix, 'p', sizeof prefix - 1);
	prefix[KEYS_PREFIX_MAX] = '\0';
	n = keys_channel(prefix, span_of(name, sizeof name), "position",
			 span_of(follows, sizeof follows), key);
	cr_assert(eq(sz, n, KEYS_PREFIX_MAX + 3 + 255 + 8 + 255));
}
