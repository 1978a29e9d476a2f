#ifndef BROKER_EVENTS_PHASE_H
#define BROKER_EVENTS_PHASE_H

/*
 * The phases of a disconnect.
 *
 *   NEW ──> LEAVING ──> BEGINNING ──> RUNNING ──> ENDING ────> DONE
 *                '────> REMOVING      ^  '──────> DEFERRING ───^
 *   PENDING ──────────────────────────'
 *
 * From each one, DONE is possible too; without channels LEAVING is left out.
 */

#include <stdbool.h>

enum phase {
	PHASE_NEW,       /* an edge reports it, and nothing is written yet */
	PHASE_PENDING,   /* it was stored before, and this broker has claimed it */
	PHASE_LEAVING,   /* the connection leaves the presence of its channels */
	PHASE_REMOVING,  /* without a route: the store removes its row */
	PHASE_BEGINNING, /* the store moves the row to the pending disconnects */
	PHASE_RUNNING,   /* the function runs */
	PHASE_ENDING,    /* the function has returned: the store removes the disconnect */
	PHASE_DEFERRING, /* the function failed: the store keeps it for a retry */
	PHASE_DONE,
};

bool phase_may_follow(enum phase from, enum phase to);

/* *p becomes to; asserts that the step is allowed. */
void phase_enter(enum phase *p, enum phase to);

#endif
