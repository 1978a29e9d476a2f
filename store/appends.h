#ifndef STORE_APPENDS_H
#define STORE_APPENDS_H

/*
 * Appends on their way to Redis, many in one call; no other module includes it.
 *
 * What is asked for while a call is under way waits, and goes out together when its reply has
 * come. An append that finds no call under way goes out in the next turn, with those of this
 * one: nothing waits for more to come. A call takes the appends in their order, and the
 * reply answers each of them in the same turn.
 *
 * When a call gets no reply, or the link is lost, those that wait get ERR_DOWN too.
 */

#include "store/channels.h"

struct appends;

struct appends *appends_new(struct loop *l, struct store *st);
void appends_free(struct appends *all); /* no fn is called any more */

#endif
