#include "broker/events/phase.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>

/* As the picture in phase.h: a row for each phase, a column for each that may follow. */
static const bool legal[PHASE_DONE + 1][PHASE_DONE + 1] = {
	[PHASE_NEW] = {[PHASE_LEAVING] = true,
		       [PHASE_REMOVING] = true,
		       [PHASE_BEGINNING] = true,
		       [PHASE_DONE] = true},
	[PHASE_LEAVING] =
		{[PHASE_REMOVING] = true, [PHASE_BEGINNING] = true, [PHASE_DONE] = true},
	[PHASE_PENDING] =
		{[PHASE_REMOVING] = true, [PHASE_RUNNING] = true, [PHASE_DONE] = true},
	[PHASE_REMOVING] = {[PHASE_DONE] = true},
	[PHASE_BEGINNING] = {[PHASE_RUNNING] = true, [PHASE_DONE] = true},
	[PHASE_RUNNING] =
		{[PHASE_ENDING] = true, [PHASE_DEFERRING] = true, [PHASE_DONE] = true},
	[PHASE_ENDING] = {[PHASE_DONE] = true},
	[PHASE_DEFERRING] = {[PHASE_DONE] = true},
};

Test(phase, each_transition_of_the_picture_is_legal_and_no_other_is)
{
	for (int from = PHASE_NEW; from <= PHASE_DONE; from++)
		for (int to = PHASE_NEW; to <= PHASE_DONE; to++)
			cr_assert(eq(int,
				     phase_may_follow((enum phase)from, (enum phase)to),
				     legal[from][to]),
				  "%d to %d", from, to);
}

Test(phase, is_entered_when_that_is_legal)
{
	enum phase p = PHASE_NEW;

	phase_enter(&p, PHASE_BEGINNING);
	phase_enter(&p, PHASE_RUNNING);
	phase_enter(&p, PHASE_DEFERRING);
	phase_enter(&p, PHASE_DONE);
	cr_assert(eq(int, p, PHASE_DONE));
}

Test(phase, that_is_illegal_ends_the_process, .signal = SIGABRT)
{
	enum phase p = PHASE_DONE;

	phase_enter(&p, PHASE_RUNNING);
}
