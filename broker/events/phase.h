#ifndef BROKER_EVENTS_PHASE_H
#define BROKER_EVENTS_PHASE_H

/*
 * How far a disconnect is.
 *
 *   NEW ──────> BEGINNING ──> RUNNING ──> ENDING ────> DONE
 *    '──> REMOVING            ^  '──────> DEFERRING ───^
 *   PENDING ──────────────────'
 *
 * From each one, DONE is possible too.
 */

#include <stdbool.h>

enum phase {
	PHASE_NEW,       /* an edge reports it, and nothing is written yet */
	PHASE_PENDING,   /* it was written before, and this broker has claimed it */
	PHASE_REMOVING,  /* no function is to know: the store removes its row */
	PHASE_BEGINNING, /* the store writes it down */
	PHASE_RUNNING,   /* the function has it */
	PHASE_ENDING,    /* the function has answered: the store forgets it */
	PHASE_DEFERRING, /* the function failed: the store keeps it for another time */
	PHASE_DONE,
};

bool phase_may_follow(enum phase from, enum phase to);

/* *p becomes to, which may follow it: else it is our mistake. */
void phase_enter(enum phase *p, enum phase to);

#endif
