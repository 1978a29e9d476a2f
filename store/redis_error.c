#include "store/redis_error.h"

#include "base/log.h"

#include <stddef.h>
#include <string.h>

struct advice {
	const char *code; /* the first word of the reply */
	enum err err;
	enum log_level level;
	const char *todo;
};

static const struct advice advices[] = {
	{"LOADING", ERR_DOWN, LOG_WARN, "wait: Redis is loading its data"},
	{"BUSY", ERR_DOWN, LOG_WARN, "wait, or SCRIPT KILL: a script runs for long"},
	{"TRYAGAIN", ERR_DOWN, LOG_WARN, "wait: the cluster is moving slots"},
	{"CLUSTERDOWN", ERR_DOWN, LOG_ERROR, "repair the Redis cluster"},
	{"MASTERDOWN", ERR_DOWN, LOG_ERROR,
	 "point redis at the master: this replica lost it"},
	{"READONLY", ERR_DOWN, LOG_ERROR, "point redis at the master: this is a replica"},
	{"NOREPLICAS", ERR_DOWN, LOG_ERROR,
	 "bring back the replicas that min-replicas-to-write asks for"},
	{"OOM", ERR_DOWN, LOG_ERROR,
	 "give Redis more maxmemory, or remove what else is in it"},
	{"MISCONF", ERR_DOWN, LOG_ERROR,
	 "let Redis write its snapshots: see its own log, and its disk"},
	{"MOVED", ERR_DOWN, LOG_ERROR,
	 "point redis at a single server, not at a node of a cluster"},
	{"ASK", ERR_DOWN, LOG_ERROR,
	 "point redis at a single server, not at a node of a cluster"},
	{"NOAUTH", ERR_DOWN, LOG_ERROR,
	 "put the password into redis: redis://user:password@host:port"},
	{"WRONGPASS", ERR_DOWN, LOG_ERROR, "correct user and password in redis"},
	{"NOPERM", ERR_DOWN, LOG_ERROR,
	 "let the ACL of this user have the command and the key"},
	{"WRONGTYPE", ERR_MALFORMED, LOG_ERROR,
	 "remove the key, or choose another redis-prefix: it is not ours"},
};

/* Redis answered what no version of it answers to this command, or to this user. */
static const struct advice unknown = {"", ERR_MALFORMED, LOG_ERROR,
				      "see the reply; Redis 6 or later is needed"};

/* Is text's first word the code? */
static bool has_code(const char *text, const char *code)
{
	size_t n = strlen(code);

	return strncmp(text, code, n) == 0 && (text[n] == ' ' || text[n] == '\0');
}

bool redis_error_is_noscript(const char *text)
{
	return has_code(text, "NOSCRIPT");
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
	const struct advice *a = advice_find(text);

	log_write_flood(&flood, a->level, "redis.refused",
			LOG_FIELDS(S("command", command), S("key", key), S("reply", text),
				   S("todo", a->todo)));
	return a->err;
}
