#include "redis/url.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

struct good {
	char text[80];
	char path[40];
	char host[40];
	uint16_t port;
	char user[16];
	char password[24];
	uint32_t db;
	char shown[40];
};

ParameterizedTestParameters(redis_url, is_read)
{
	static struct good rows[] = {
		{"unix:/run/redis.sock", "/run/redis.sock", "", 6379, "", "", 0,
		 "unix:/run/redis.sock"},
		{"localhost:7000", "", "localhost", 7000, "", "", 0, "localhost:7000"},
		{"[::1]:7000", "", "::1", 7000, "", "", 0, "[::1]:7000"},
		{"redis://db", "", "db", 6379, "", "", 0, "db:6379"},
		{"redis://db/", "", "db", 6379, "", "", 0, "db:6379"},
		{"redis://db:6380/15", "", "db", 6380, "", "", 15, "db:6380"},
		{"redis://[fe80::1]/2", "", "fe80::1", 6379, "", "", 2, "[fe80::1]:6379"},
		{"redis://ann:secret@db", "", "db", 6379, "ann", "secret", 0, "db:6379"},
		{"redis://:secret@db:1/3", "", "db", 1, "", "secret", 3, "db:1"},
		{"redis://secret@db", "", "db", 6379, "", "secret", 0, "db:6379"},
		{"redis://a%3Ab:p%40%2f%25@db", "", "db", 6379, "a:b", "p@/%", 0,
		 "db:6379"},
		{"rediss://ann:secret@db:6380/1", "", "db", 6380, "ann", "secret", 1,
		 "db:6380"},
		{"redis://ann:p@ss@db", "", "db", 6379, "ann", "p@ss", 0, "db:6379"},
	};
	return cr_make_param_array(struct good, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct good *r, redis_url, is_read)
{
	struct redis_url u;
	char why[200] = "";

	cr_assert(eq(int, redis_url_parse(r->text, &u, why, sizeof why), OK), "%s: %s",
		  r->text, why);
	cr_assert(eq(str, u.path, r->path));
	cr_assert(eq(str, u.host, r->host));
	cr_assert(eq(u16, u.port, r->port));
	cr_assert(eq(str, u.user, r->user));
	cr_assert(eq(str, u.password, r->password));
	cr_assert(eq(u32, u.db, r->db));
	cr_assert(eq(str, u.shown, r->shown));
}

struct bad {
	char text[160];
	char why[48]; /* a part of the sentence */
};

ParameterizedTestParameters(redis_url, is_refused)
{
	static struct bad rows[] = {
		{"", "no port"},
		{"localhost", "no port"},
		{":6379", "no host"},
		{"localhost:", "1 to 65535"},
		{"localhost:0", "1 to 65535"},
		{"localhost:65536", "1 to 65535"},
		{"localhost:99999999999999999999", "1 to 65535"},
		{"localhost:6379x", "1 to 65535"},
		{"[::1", "[ without ]"},
		{"[::1]6379", ":port"},
		{"two words:6379", "no host"},
		{"unix:", "begins with /"},
		{"unix:redis.sock", "begins with /"},
		{"unix:/"
		 "0123456789012345678901234567890123456789012345678901234567890123456789"
		 "0123456789012345678901234567890123456789",
		 "107 characters"},
		{"rediss://db:x", "1 to 65535"},
		{"http://db", "scheme"},
		{"redis://", "no host"},
		{"redis:///1", "no host"},
		{"redis://db/one", "database"},
		{"redis://db/-1", "database"},
		{"redis://@db", "no password"},
		{"redis://ann:@db", "no password"},
		{"redis://ann:p%4@db", "hex"},
		{"redis://ann:p%zz@db", "hex"},
		{"redis://ann:p%00@db", "hex"},
		{"redis://ann:p%", "1 to 65535"},
		{"redis+sentinel://a", "/MASTER"},
		{"redis+sentinel://a/", "/MASTER"},
		{"redis+sentinel:///m", "no host"},
		{"redis+sentinel://a,/m", "no host"},
		{"redis+sentinel://a:0/m", "1 to 65535"},
		{"redis+sentinel://a/m/one", "database"},
		{"redis+sentinel://a/m m", "/MASTER"},
		{"redis+sentinel://a/m?user=x", "only sentinel_user"},
		{"redis+sentinel://a/m?sentinel_user=x", "without sentinel_password"},
		{"redis+sentinel://1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17/m",
		 "more than 16"},
	};
	return cr_make_param_array(struct bad, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct bad *r, redis_url, is_refused)
{
	struct redis_url u;
	char why[200] = "";

	cr_assert(eq(int, redis_url_parse(r->text, &u, why, sizeof why), ERR_MALFORMED),
		  "%s", r->text);
	cr_assert(strstr(why, r->why) != NULL, "%s: %s", r->text, why);
}

Test(redis_url, what_is_said_of_a_bad_url_never_holds_the_password)
{
	static const char *const texts[] = {"redis://ann:hunter2@db:x",
					    "redis://ann:hunter2%@db",
					    "redis://ann:hunter2@",
					    "redis://ann:hunter2@db/x",
					    "ann:hunter2@db",
					    "redis+sentinel://a/m?sentinel_user=hunter2",
					    "redis+sentinel://a/m?password=hunter2",
					    "redis+sentinel://ann:hunter2?@a/m"};
	struct redis_url u;
	char why[200];

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		cr_assert(ne(int, redis_url_parse(texts[i], &u, why, sizeof why), OK));
		cr_assert(strstr(why, "hunter2") == NULL, "%s", why);
	}
}

Test(redis_url, of_sentinels_has_all_places_the_masters_name_and_both_logins)
{
	struct redis_url u;
	char why[200] = "";

	cr_assert(
		eq(int,
		   redis_url_parse("rediss+sentinel://ann:p%40@a,[::1]:7,b:8/my-master/3"
				   "?sentinel_user=sam&sentinel_password=%2f",
				   &u, why, sizeof why),
		   OK),
		"%s", why);
	cr_assert(u.tls);
	cr_assert(eq(uint, u.sentinels.n, 3));
	cr_assert(eq(str, u.sentinels.at[0].host, "a"));
	cr_assert(eq(u16, u.sentinels.at[0].port, 26379));
	cr_assert(eq(str, u.sentinels.at[1].host, "::1"));
	cr_assert(eq(u16, u.sentinels.at[1].port, 7));
	cr_assert(eq(str, u.sentinels.at[2].host, "b"));
	cr_assert(eq(u16, u.sentinels.at[2].port, 8));
	cr_assert(eq(str, u.sentinels.master, "my-master"));
	cr_assert(eq(str, u.sentinels.user, "sam"));
	cr_assert(eq(str, u.sentinels.password, "/"));
	cr_assert(eq(str, u.user, "ann"));
	cr_assert(eq(str, u.password, "p@"));
	cr_assert(eq(u32, u.db, 3));
	cr_assert(eq(str, u.host, ""));
	cr_assert(eq(str, u.shown, "my-master, as sentinels say"));

	redis_url_set_place(&u, &(struct redis_place){.host = "10.0.0.1", .port = 6380});
	cr_assert(eq(str, u.host, "10.0.0.1"));
	cr_assert(eq(u16, u.port, 6380));
	cr_assert(eq(str, u.shown, "10.0.0.1:6380 (my-master)"));
}
