#include "redis/request.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <hiredis/hiredis.h>

static struct request *with_due(int64_t due_ms)
{
	struct request *q =
		request_new(NULL, NULL, 2, (const char *[]){"GET", "k"}, NULL);

	q->due_ms = due_ms;
	return q;
}

Test(request, that_expired_keeps_its_place)
{
	struct requests all = {0};
	struct request *a = with_due(10), *b = with_due(20);

	requests_push(&all, a);
	requests_push(&all, b);
	cr_assert(requests_expire(&all, 9) == NULL);
	cr_assert(requests_expire(&all, 10) == a);
	cr_assert(requests_expire(&all, 10) == NULL);
	cr_assert(eq(sz, all.n, 2));
	cr_assert(requests_pop(&all) == a);
	cr_assert(requests_expire(&all, 30) == b);
	cr_assert(requests_pop(&all) == b);
	cr_assert(requests_pop(&all) == NULL);
	request_free(a);
	request_free(b);
}

Test(request, that_comes_after_all_expired_is_the_next_to_expire)
{
	struct requests all = {0};
	struct request *late = with_due(50);

	requests_push(&all, with_due(10));
	cr_assert(requests_expire(&all, 10) != NULL);
	requests_push(&all, late);
	cr_assert(all.due == late);
	requests_close(&all);
	cr_assert(eq(sz, all.n, 0));
}

Test(request, names_its_first_key_but_never_a_password)
{
	const char *hset[] = {"HSET", "a key", "f", "v"},
		   *eval[] = {"EVALSHA", "h", "1", "k1"};
	const char *auth[] = {"AUTH", "hunter2"}, *ping[] = {"PING"};
	struct request *q[] = {
		request_new(NULL, NULL, 4, hset, (size_t[]){4, 5, 1, 1}),
		request_new(NULL, NULL, 4, eval, NULL),
		request_new(NULL, NULL, 2, auth, NULL),
		request_new(NULL, NULL, 1, ping, NULL),
	};

	cr_assert(eq(str, q[0]->key, "a key"));
	cr_assert(eq(str, q[1]->key, "k1"));
	cr_assert(eq(str, q[2]->key, ""));
	cr_assert(eq(str, q[3]->key, ""));
	for (int i = 0; i < 4; i++)
		request_free(q[i]);
}

/* What stopped a script may be wrong with any of its keys. */
Test(request, a_refused_scripts_keys_are_all_for_the_log)
{
	static const char *words[] = {"EVALSHA", "sha", "2", "first", "the second", "no"};
	struct request *q = request_new(NULL, NULL, 6, words, NULL);
	char *wire;
	char keys[64], few[9];

	cr_assert(eq(str, (char *)request_keys(q, keys, sizeof keys), "first"));
	q->wire_n = (size_t)redisFormatCommandArgv(&wire, 6, words, NULL);
	q->wire = wire;
	cr_assert(
		eq(str, (char *)request_keys(q, keys, sizeof keys), "first the second"));
	cr_assert(eq(str, (char *)request_keys(q, few, sizeof few), "first th"));
	request_free(q);
}
