#ifndef TESTS_UNIT_BROKER_CHANNELS_FIXTURE_H
#define TESTS_UNIT_BROKER_CHANNELS_FIXTURE_H

/* Channels on the cluster half of a broker. Namespaces: "room" with history, "chat" and "raw" without. */

#include "broker/channels/channels.h"
#include "fake_channels.h"
#include "tests/unit/broker_cluster/fixture.h"

extern struct channels *channels;
extern struct config_namespace room, chat, raw;

/* The same two in the configuration, of which webhooks are read: no function is one at first. */
enum { CHANNELS_CHAT, CHANNELS_ROOM };
struct config_namespace *channels_configured(int which);

void channels_start(void);
void channels_stop(void);

/* Let ms pass; the store answers each beat at once, and these edges ("e1 e2") send heartbeats. */
void channels_run(int64_t ms, const char *edges, bool with_other);

/* The broker has been a member for two beats, alone. */
void channels_join(void);

/* The edge is linked, and carries these channels ("room:1 chat"), all of which it has said. */
struct edge_link *channels_link(const char *from, uint64_t boot, uint16_t number,
				const char *names);

/* It carries one more; position NULL: none yet. all: the list is complete. */
void channels_carry(const char *from, const char *name, const char *epoch,
		    uint64_t offset, bool all);
void channels_uncarry(const char *from, const char *name);

/* The edge says that its list is complete. */
void channels_all(const char *from);

/* The next item of this kind for the edge, without those before it; NULL: there is none. */
const Gatepost__Item *channels_read(const char *to, Gatepost__Item__BodyCase kind);

/* Its next Deliver; NULL: none. */
const Gatepost__Deliver *channels_deliver(const char *to);

/* ---- publications ---- */

struct outcome {
	size_t calls;
	bool is_failed;
	char code[20];
	char epoch[40];
	int64_t offset;
	bool duplicate, suppressed;
	uint32_t edges, connections;
};

/* Keeps what it gets in the struct outcome at arg. */
void on_published(void *outcome, const struct published *p);

/* {"n":1} to this channel of the namespace. */
struct publication publication_to(const struct config_namespace *ns, const char *channel);

/* Publish that, and keep the outcome. */
void publish_to(const struct config_namespace *ns, const char *channel,
		struct outcome *out);

#endif
