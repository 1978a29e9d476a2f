#include "broker/events/phase.h"

#include <assert.h>

#define BIT(phase) (1u << (phase))

static const unsigned followers[] = {
	[PHASE_NEW] = BIT(PHASE_LEAVING) | BIT(PHASE_REMOVING) | BIT(PHASE_BEGINNING) |
		      BIT(PHASE_DONE),
	[PHASE_LEAVING] = BIT(PHASE_REMOVING) | BIT(PHASE_BEGINNING) | BIT(PHASE_DONE),
	[PHASE_PENDING] = BIT(PHASE_REMOVING) | BIT(PHASE_RUNNING) | BIT(PHASE_DONE),
	[PHASE_REMOVING] = BIT(PHASE_DONE),
	[PHASE_BEGINNING] = BIT(PHASE_RUNNING) | BIT(PHASE_DONE),
	[PHASE_RUNNING] = BIT(PHASE_ENDING) | BIT(PHASE_DEFERRING) | BIT(PHASE_DONE),
	[PHASE_ENDING] = BIT(PHASE_DONE),
	[PHASE_DEFERRING] = BIT(PHASE_DONE),
	[PHASE_DONE] = 0,
};

bool phase_may_follow(enum phase from, enum phase to)
{
	return (followers[from] & BIT(to)) != 0;
}

void phase_enter(enum phase *p, enum phase to)
{
	assert(phase_may_follow(*p, to));
	*p = to;
}
