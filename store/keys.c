#include "store/keys.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum err keys_check_prefix(const char *prefix)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789:._-/";

	if (strlen(prefix) > KEYS_PREFIX_MAX || prefix[strspn(prefix, allowed)] != '\0')
		return ERR_MALFORMED;
	return OK;
}

static const char *edge_key(const char *prefix, uint16_t edge, const char *what,
			    char *out)
{
	int n = snprintf(out, KEYS_TEXT, "%s{e%u}:%s", prefix, edge, what);

	assert(n > 0 && n < KEYS_TEXT);
	return out;
}

static const char *member_key(const char *prefix, const char *what, char *out)
{
	int n = snprintf(out, KEYS_TEXT, "%s{m}:%s", prefix, what);

	assert(n > 0 && n < KEYS_TEXT);
	return out;
}

const char *keys_connections(const char *prefix, uint16_t edge, char out[KEYS_TEXT])
{
	return edge_key(prefix, edge, "connections", out);
}

const char *keys_disconnects(const char *prefix, uint16_t edge, char out[KEYS_TEXT])
{
	return edge_key(prefix, edge, "disconnects", out);
}

const char *keys_due(const char *prefix, uint16_t edge, char out[KEYS_TEXT])
{
	return edge_key(prefix, edge, "due", out);
}

const char *keys_lease(const char *prefix, uint16_t edge, char out[KEYS_TEXT])
{
	return edge_key(prefix, edge, "lease", out);
}

const char *keys_owner(const char *prefix, uint16_t edge, char out[KEYS_TEXT])
{
	return edge_key(prefix, edge, "owner", out);
}

const char *keys_synced(const char *prefix, uint16_t edge, char out[KEYS_TEXT])
{
	return edge_key(prefix, edge, "synced", out);
}

const char *keys_presence(const char *prefix, uint16_t edge, char out[KEYS_TEXT])
{
	return edge_key(prefix, edge, "presence", out);
}

static const char *shard_key(const char *prefix, uint16_t shard, const char *what,
			     char *out)
{
	int n = snprintf(out, KEYS_TEXT, "%s{o%u}:%s", prefix, shard, what);

	assert(n > 0 && n < KEYS_TEXT);
	return out;
}

const char *keys_keeper(const char *prefix, uint16_t shard, char out[KEYS_TEXT])
{
	return shard_key(prefix, shard, "keeper", out);
}

const char *keys_occupancy(const char *prefix, uint16_t shard, char out[KEYS_TEXT])
{
	return shard_key(prefix, shard, "occupancy", out);
}

const char *keys_edges(const char *prefix, char out[KEYS_TEXT])
{
	return member_key(prefix, "edges", out);
}

const char *keys_members(const char *prefix, char out[KEYS_TEXT])
{
	return member_key(prefix, "members", out);
}

const char *keys_cluster(const char *prefix, char out[KEYS_TEXT])
{
	return member_key(prefix, "cluster", out);
}

const char *keys_dead_letters(const char *prefix, char out[KEYS_TEXT])
{
	return member_key(prefix, "parked", out);
}

const char *keys_presence_due(const char *prefix, char out[KEYS_TEXT])
{
	return member_key(prefix, "presence-due", out);
}

static char *put(char *at, const void *p, size_t n)
{
	if (n > 0)
		memcpy(at, p, n);
	return at + n;
}

size_t keys_channel(const char *prefix, struct span name, const char *what,
		    struct span follows, char out[KEYS_CHANNEL_TEXT])
{
	char *at = out;

	assert(strlen(prefix) + name.n + strlen(what) + follows.n + 3 <=
	       KEYS_CHANNEL_TEXT);
	at = put(at, prefix, strlen(prefix));
	*at++ = '{';
	at = put(at, name.p, name.n);
	*at++ = '}';
	*at++ = ':';
	at = put(at, what, strlen(what));
	at = put(at, follows.p, follows.n);
	return (size_t)(at - out);
}
