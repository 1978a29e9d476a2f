#ifndef BROKER_REAPER_H
#define BROKER_REAPER_H

/*
 * Looks after all edges that the store knows, the dead ones above all:
 *
 *   held by its lease                            → are its rows in this memory? (resync.h)
 *   its lease has lapsed, and it has rows        → they become disconnects that are owed
 *   something is owed and due                    → this broker claims it (owed.h)
 *   lapsed, without rows, and owing nothing      → its number is free
 *
 * Each edge has a home among the brokers that looks five times a second; the others look
 * now and then, should it be dead, or not see what they see. Two that do the same at the
 * same time do no harm: each step is one script in the store, and what it moves it moves once.
 */

#include "broker/broker.h"

struct reaper;

struct reaper *reaper_new(struct broker *b);
void reaper_free(struct reaper *r); /* NULL is fine */

/*
 * The store is back, or this broker: leases may have lapsed only since nobody could renew
 * them, so nothing is given up until a lease's time from now.
 */
void reaper_wait(struct reaper *r);

/* The store may have lost some of its memory: look at all edges now. */
void reaper_hurry(struct reaper *r);

#endif
