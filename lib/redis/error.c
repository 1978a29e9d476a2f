#include "redis/error.h"

#include "base/log.h"

#include <stddef.h>
#include <string.h>

struct advice {
	const char *code; /* what the reply begins with */
	enum err err;
	enum log_level level;
	const char *hint;
};

static const char single[] = "point redis at a single server, not at a node of a cluster";
static const char master[] =
	"point redis at the master, or at sentinels: this is a replica";

static const char acl[] =
	"allow the command and the key in the ACL of this user: see docs/operations.md";

static const struct advice advices[] = {
	{"LOADING", ERR_BUSY, LOG_WARN, "wait: Redis is loading its data"},
	{"BUSY", ERR_BUSY, LOG_WARN, "wait, or SCRIPT KILL: a script runs for long"},
	{"TRYAGAIN", ERR_BUSY, LOG_WARN, "wait: the cluster is moving slots"},
	{"CLUSTERDOWN", ERR_BUSY, LOG_ERROR, "repair the Redis cluster"},
	{"MASTERDOWN", ERR_BUSY, LOG_ERROR, master},
	{"READONLY", ERR_BUSY, LOG_ERROR, master},
	{"NOREPLICAS", ERR_BUSY, LOG_ERROR,
	 "restore the replicas that min-replicas-to-write requires"},
	{"OOM", ERR_BUSY, LOG_ERROR,
	 "raise maxmemory of Redis, or remove other data from it"},
	{"MISCONF", ERR_BUSY, LOG_ERROR,
	 "see the log of Redis and its disk: it cannot write its files"},
	{"MOVED", ERR_BUSY, LOG_ERROR, single},
	{"ASK", ERR_BUSY, LOG_ERROR, single},
	{"CROSSSLOT", ERR_DENIED, LOG_INFO,
	 "a node of a cluster takes the keys of one channel, or of one shard of a table, "
	 "in a call"},
	{"NOAUTH", ERR_BUSY, LOG_ERROR,
	 "put the password into redis: redis://user:password@host:port"},
	{"WRONGPASS", ERR_BUSY, LOG_ERROR, "correct user and password in redis"},
	{"DENIED", ERR_BUSY, LOG_ERROR,
	 "set a password in Redis, or protected-mode no: it refuses other hosts"},
	{"ERR max number of clients reached", ERR_BUSY, LOG_ERROR,
	 "raise maxclients of Redis, or check its other clients"},
	{"NOPERM", ERR_BUSY, LOG_ERROR, acl},
	/* inside a script, by Redis 7.0 and 6 */
	{"ERR The user executing the script", ERR_DOWN, LOG_ERROR, acl},
	{"The user executing the script", ERR_DOWN, LOG_ERROR, acl},
	{"WRONGTYPE", ERR_MALFORMED, LOG_ERROR,
	 "remove the foreign key, or set another redis-prefix"},
};

/* Redis answered what no version of it answers to this command, or to this user. */
static const struct advice unknown = {"", ERR_MALFORMED, LOG_ERROR,
				      "see the reply; Redis 6 or later is needed"};

/* Does text begin with the code? */
static bool has_code(const char *text, const char *code)
{
	size_t n = strlen(code);

	return strncmp(text, code, n) == 0 && (text[n] == ' ' || text[n] == '\0');
}

/*
 * Redis 6 replies "ERR Error running script (call to f_…): @user_script:1: @user_script: 1: -OOM …"
 * when a script fails; Redis 7 replies "OOM … script: …, on @user_script:1." as a plain
 * command would get it.
 */
static const char *past_script(const char *text)
{
	static const char word[] = "@user_script:";
	const char *at = text;

	if (strncmp(text, "ERR Error running script", 24) != 0)
		return text;
	for (const char *p = strstr(at, word); p != NULL; p = strstr(at, word)) {
		at = p + strlen(word);
		at += strspn(at, " 0123456789:");
	}
	return at + strspn(at, "-");
}

/* What runs before the command that is refused has been done: only NOPERM may come so late. */
static bool is_amid_script(const char *text)
{
	return past_script(text) != text || strstr(text, "@user_script:") != NULL;
}

bool redis_error_is_noscript(const char *text)
{
	return has_code(text, "NOSCRIPT");
}

bool redis_error_is_replica(const char *text)
{
	text = past_script(text);
	return has_code(text, "READONLY") || has_code(text, "MASTERDOWN");
}

static const struct advice *advice_find(const char *text)
{
	for (size_t i = 0; i < sizeof advices / sizeof *advices; i++)
		if (has_code(text, advices[i].code))
			return &advices[i];
	return &unknown;
}

enum err redis_error_take(const char *text, const char *command, const char *key)
{
	static struct log_flood flood;
	const struct advice *a = advice_find(past_script(text));
	bool half_done = is_amid_script(text) && has_code(a->code, "NOPERM");

	log_write_flood(&flood, a->level, "redis.refused",
			LOG_FIELDS(S("command", command), S("key", key), S("reply", text),
				   S("hint", a->hint)));
	return half_done ? ERR_DOWN : a->err;
}
