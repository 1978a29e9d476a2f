#ifndef BROKER_CHANNELS_CLIENT_ACTION_H
#define BROKER_CHANNELS_CLIENT_ACTION_H

/*
 * A client's action on a channel, read from its JSON in place: without a tree, and without memory but the
 * caller's room.
 *
 *   {"action":"publish","id":7,"channel":"room:1","data":{"text":"hi"},"key":"k1"}
 *
 * Members that the action does not have are ignored, whatever they are. Members that it has and that
 * are of another type are an error that names them.
 */

#include "broker/channels/delivery/publish.h"
#include "json/read.h"

enum {
	ACTIONS_MOST = 100, /* in one frame */
	ACTION_ID_MOST = 128,
	ACTION_KEY_MOST = 255,
	ACTION_TAG_MOST = 256, /* bytes of a tag's key, and of its value */
	ACTION_LIMIT = 100,    /* default of history and presence */
	ACTION_LIMIT_MOST = 1000,
};

enum channel_verb {
	VERB_SUBSCRIBE,
	VERB_UNSUBSCRIBE,
	VERB_PUBLISH,
	VERB_HISTORY,
	VERB_PRESENCE,
	VERB_PING,
};

enum { VERBS = VERB_PING + 1 };

/* A member that holds a position. */
struct action_position {
	bool is_there;
	struct position at;
};

/* Spans point into the text, or into the room. What is absent is empty, false or as noted. */
struct channel_action {
	enum channel_verb verb;
	enum channel_recover recover;      /* SUBSCRIBE, with has_recover */
	bool has_recover, presence, batch; /* SUBSCRIBE */
	bool has_version, receipt;         /* PUBLISH */
	bool reverse;                      /* HISTORY */
	struct span id; /* JSON as written, a string or a number: echoed */
	struct span
		channel; /* at most CHANNEL_NAME_MAX bytes; whether it may be a channel is not checked */

	struct action_position since; /* SUBSCRIBE, HISTORY */
	struct action_position until; /* HISTORY */
	struct span filter; /* SUBSCRIBE: a JSON object, not checked (filter.h) */
	struct span token;  /* SUBSCRIBE, PUBLISH */

	struct span data; /* PUBLISH: JSON as written */
	struct span key;  /* PUBLISH */
	struct channel_tag tags[CHANNEL_TAGS];
	size_t n_tags;
	uint64_t version;

	int64_t limit;      /* HISTORY, PRESENCE; ACTION_LIMIT */
	struct span cursor; /* PRESENCE */
};

/* The action of a route key: "subscribe", "publish", … False: it is none. */
bool channel_verb_of(struct span name, enum channel_verb *verb);

const char *channel_verb_name(enum channel_verb verb);

/*
 * Read an action.
 *
 * text     JSON, not necessarily an object
 * room     text.n bytes, which live as long as out is used
 * out      id and channel are there after an error too, if they could be read
 * returns  NULL; else why it is no such action: a sentence for the client
 */
const char *channel_action_read(struct span text, enum channel_verb verb, uint8_t *room,
				struct channel_action *out);

/*
 * The same of an object that has been read already (json_walk_next).
 */
const char *channel_action_of(const struct json_value *object, enum channel_verb verb,
			      uint8_t *room, struct channel_action *out);

/* The same, and nothing needs to be there. */
const char *channel_action_members(const struct json_value *object,
				   enum channel_verb verb, uint8_t *room,
				   struct channel_action *out);

/* An action that is its channel alone, a JSON string; returns as channel_action_of. */
const char *channel_action_named(struct span name, enum channel_verb verb, uint8_t *room,
				 struct channel_action *out);

#endif
