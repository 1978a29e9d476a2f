#include "redis/greet.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>

static void say_auth(const struct redis_url *url, struct redis_greet_words *out)
{
	const char *words[] = {"AUTH", url->user, url->password};

	if (url->password[0] == '\0')
		return;
	if (url->user[0] == '\0')
		words[1] = url->password;
	memcpy(out->argv, words, sizeof words);
	out->argc = url->user[0] == '\0' ? 2 : 3;
}

static void say_select(const struct redis_url *url, struct redis_greet_words *out)
{
	if (url->db == 0)
		return;
	snprintf(out->db, sizeof out->db, "%u", url->db);
	out->argv[0] = "SELECT";
	out->argv[1] = out->db;
	out->argc = 2;
}

void redis_greet_say(enum redis_greet_step step, const struct redis_url *url,
		     struct redis_greet_words *out)
{
	out->argc = 0;
	switch (step) {
	case REDIS_GREET_AUTH: say_auth(url, out); break;
	case REDIS_GREET_SELECT: say_select(url, out); break;
	case REDIS_GREET_ROLE:
		out->argv[0] = "ROLE";
		out->argc = 1;
		break;
	case REDIS_GREET_PING:
	case REDIS_GREET_STEPS:
		out->argv[0] = "PING";
		out->argc = 1;
		break;
	}
}

/* ["master", …], ["slave", host, port, state, offset], ["sentinel", …] */
bool redis_greet_is_master(const struct redisReply *role, struct redis_end *why)
{
	bool list = role->type == REDIS_REPLY_ARRAY && role->elements > 0 &&
		    role->element[0]->type == REDIS_REPLY_STRING;
	const char *who = list ? role->element[0]->str : "";

	if (strcmp(who, "slave") == 0 && role->elements > 2 &&
	    role->element[1]->type == REDIS_REPLY_STRING &&
	    role->element[2]->type == REDIS_REPLY_INTEGER)
		redis_end_set(why, "set --redis to the master, or to its sentinels",
			      "it is a replica of %s:%lld", role->element[1]->str,
			      role->element[2]->integer);
	else if (strcmp(who, "sentinel") == 0)
		redis_end_set(why, "write redis+sentinel://host:port/MASTER",
			      "it is a sentinel");
	else
		return true;
	return false;
}
