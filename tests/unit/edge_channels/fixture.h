#ifndef TESTS_UNIT_EDGE_CHANNELS_FIXTURE_H
#define TESTS_UNIT_EDGE_CHANNELS_FIXTURE_H

/*
 * The channels of an edge on a clock that the test moves. In place of links there are numbers: what is sent on one is
 * read as text. In place of connections there are members, which note the messages that they get.
 */

#include "edge/channels/channels.h"
#include "tests/unit/fakes/fake_loop.h"

enum { MEMBERS = 8, TEXT_MOST = 128 * 1024 };

struct member {
	struct subscriber subscriber; /* the first one: callbacks find the member by it */
	bool is_full;                 /* its outbox is */
	bool is_gone;                 /* it was closed: too slow */
	bool dies;           /* the next send finds that its connection has ended */
	size_t n, bytes;     /* frames, and bytes of their payloads */
	char got[TEXT_MOST]; /* the payloads, with a space between them */
	char left
		[256]; /* channels that have ended by themselves, with a space behind each */
};

struct fixture {
	struct loop *loop;
	struct metrics *metrics;
	struct channels *channels;
	bool is_incomplete; /* a broker is not linked that there is */
	struct member members[MEMBERS];
};
extern struct fixture edge;

/* For TestSuite. Without a link. */
void channels_start(void);
void channels_end(void);

/* A link comes up, and is old enough for outcomes; or is so only in ms. Its first item is not read yet. */
void link_up(uint64_t link);
void link_up_young(uint64_t link, int64_t ms);
void link_down(uint64_t link);

/* The broker has confirmed up to this serial; or all that it was told. */
void link_confirm(uint64_t link, uint64_t serial);
void link_confirm_all(uint64_t link);

/*
 * What was sent on the link since the last call, a word for each item:
 *
 *   I2(a,b-,c@e/5)  Interest 2: a, the end of b, c with its position; I1*(…) the whole list
 *   O7=OK           Outcome of ticket 7; O7=OK+@e/5 it was live; O7=OK:3 three were reached
 *   G(a@e/5)        Gap
 */
const char *link_sent(uint64_t link);

/* The broker sends this item: the message of its kind. */
void link_receive(uint64_t link, Gatepost__Item__BodyCase what, void *m);

/* The end of a turn. */
void turn(void);
void pass(int64_t ms);

/* ---- what brokers send ---- */

/* A subscription to this channel with nothing else; to be changed. */
Gatepost__Subscription *subscription_of(const char *channel);

/* The command arrived on the link; the turn ends. */
void subscribe(struct member *m, uint64_t link, uint64_t ticket,
	       const Gatepost__Subscription *s);

/* epoch: NULL for a channel without history. The missed ones, up to offset: "a b" or NULL. */
void activate(struct member *m, const char *channel, const char *epoch, uint64_t offset,
	      const char *missed);

/* All of it, by link 1, with what was sent for it read and forgotten. */
void make_live(struct member *m, const Gatepost__Subscription *s, const char *epoch,
	       uint64_t offset);

/* A publication; body is what members get. tag: "key=value" or NULL. The turn does not end. */
void deliver(const char *channel, const char *epoch, uint64_t offset, const char *body);
void deliver_asked(uint64_t link, uint64_t ticket, const char *channel, const char *epoch,
		   uint64_t offset, const char *body);
void deliver_tagged(const char *channel, uint64_t offset, const char *body,
		    const char *key, const char *value);

/* Fill of link 1: from and top in epoch; bodies: those from first on, with spaces. */
void fill(const char *channel, const char *epoch, uint64_t from, uint64_t top,
	  uint64_t first, const char *bodies, bool lost);

/* What a member has got since the last call. */
const char *got(struct member *m);

int64_t counted(const char *name, const char *labels);

#endif
