#include "edge/client/end.h"

#include "ws/frame.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

static const struct end_words words = {4321, {(const uint8_t *)"words", 5}};

/*
 * What is wanted, apart from the table itself: a letter for each phase, from NEW to GONE.
 *
 *   .  nothing             R  a response, then LINGER     C  close frame, then CLOSING
 *   l  LINGER              B  close frame behind the answers
 *   d  the drain's close   n  the close frame that waits
 *   x  cut                 p  cut behind a close frame
 *   e  only the event      0  dropped
 */
struct want {
	enum end_cause cause;
	const char *steps;
	uint16_t status, code; /* 0: none; 4321: the caller's */
};

static const struct want wants[] = {
	{CAUSE_PEER_CLOSED, "xxxxxxxxxx.", 0, 1006},
	{CAUSE_CLOSE_FRAME, "......B.l..", 0, 4321},
	{CAUSE_BAD_REQUEST, "RRR........", 4321, 0},
	{CAUSE_BAD_MESSAGE, "......B.l..", 0, 4321},
	{CAUSE_BINARY, "......B....", 0, 1003},
	{CAUSE_STALLED, "xxxxxxxxxx.", 0, 1006},
	{CAUSE_IDLE, "......C....", 0, 1001},
	{CAUSE_NO_PONG, "......x....", 0, 1006},
	{CAUSE_SLOW, "......C....", 0, 4408},
	{CAUSE_HANDSHAKE_TIMEOUT, "x.RR.......", 408, 0},
	{CAUSE_KEEP_ALIVE_TIMEOUT, ".x.........", 0, 0},
	{CAUSE_ANSWER_TIMEOUT, "....RR.....", 504, 0},
	{CAUSE_CLOSE_TIMEOUT, ".......nx..", 0, 0},
	{CAUSE_LINGER_TIMEOUT, ".........x.", 0, 0},
	{CAUSE_MAX_AGE, "......C....", 0, 1001},
	{CAUSE_EXPIRED, "......C....", 0, 4401},
	{CAUSE_ANSWERED, "....ll.n...", 0, 0},
	{CAUSE_FUNCTION_CLOSE, "......C....", 0, 4321},
	{CAUSE_COMMAND_CLOSE, "......C....", 0, 4321},
	{CAUSE_NO_BROKER, "....RR.....", 503, 0},
	{CAUSE_TOO_LATE, "....R....ee", 503, 1006},
	{CAUSE_POISONED_CONNECT, "....R....ee", 502, 1006},
	{CAUSE_POISONED_REQUEST, ".....R.....", 502, 0},
	{CAUSE_NO_MEMORY, "...R..B....", 503, 1013},
	{CAUSE_NOT_SERVING, "RRR........", 503, 0},
	{CAUSE_DRAIN, "RxRRR.d....", 503, 4321},
	{CAUSE_DRAIN_OVER, "xxxxxxpxxx.", 0, 4321},
	{CAUSE_FENCED, "xxxxxxpxxx0", 0, 1012},
	{CAUSE_STOPPED, "xxxxxxpxxx0", 0, 1012},
};

static char letter(enum end_step step)
{
	static const char letters[] = {
		[END_NOTHING] = '.',      [END_EVENT] = 'e',     [END_REFUSE] = 'R',
		[END_LINGER] = 'l',       [END_CLOSE] = 'C',     [END_CLOSE_BEHIND] = 'B',
		[END_DRAIN] = 'd',        [END_CLOSE_NOW] = 'n', [END_CUT] = 'x',
		[END_CUT_POLITELY] = 'p', [END_DROP] = '0',
	};

	return letters[step];
}

static void check_words(const struct want *w, enum end_phase phase, const struct end *e)
{
	if (e->step == END_REFUSE) {
		cr_assert(eq(u16, e->status, w->status));
		cr_assert(gt(sz, e->message.n, 0));
	} else {
		cr_assert(eq(u16, e->status, 0));
	}
	if (e->has_event || e->step == END_CUT_POLITELY) {
		cr_assert(eq(u16, e->code, w->code), "cause %d phase %d", w->cause,
			  phase);
		cr_assert(gt(sz, e->reason.n, 0));
	}
}

Test(end, has_for_each_cause_and_phase_the_step_and_the_codes_that_are_wanted)
{
	cr_assert(eq(sz, sizeof wants / sizeof *wants, CAUSES));
	for (size_t i = 0; i < CAUSES; i++) {
		const struct want *w = &wants[i];

		cr_assert(eq(int, (int)w->cause, (int)i), "one row a cause");
		for (int p = 0; p < PHASES; p++) {
			struct end e = end_of((enum end_phase)p, w->cause, &words);

			cr_assert(eq(chr, letter(e.step), w->steps[p]),
				  "cause %zu phase %d", i, p);
			check_words(w, (enum end_phase)p, &e);
		}
	}
}

Test(end, of_an_open_connection_always_gives_a_disconnect_event_unless_somebody_else_does)
{
	for (int i = 0; i < CAUSES; i++) {
		struct end e = end_of(PHASE_OPEN, (enum end_cause)i, &words);
		bool others = i == CAUSE_FENCED || i == CAUSE_STOPPED;

		cr_assert(eq(int, e.has_event, e.step != END_NOTHING && !others),
			  "cause %d", i);
		cr_assert(eq(int, e.forgets_lane, others));
	}
}

Test(end, gives_no_event_elsewhere_but_for_a_connect_that_may_have_been_accepted)
{
	for (int i = 0; i < CAUSES; i++)
		for (int p = 0; p < PHASES; p++) {
			struct end e =
				end_of((enum end_phase)p, (enum end_cause)i, &words);
			bool early = i == CAUSE_TOO_LATE || i == CAUSE_POISONED_CONNECT;

			if (p != PHASE_OPEN && e.step != END_NOTHING)
				cr_assert(eq(int, e.has_event, early),
					  "cause %d phase %d", i, p);
		}
}

Test(end, by_the_deadline_of_a_phase_never_does_nothing)
{
	for (int p = 0; p < PHASES; p++)
		if (p != PHASE_OPEN && p != PHASE_GONE)
			cr_assert(ne(int,
				     end_of((enum end_phase)p,
					    end_timeout((enum end_phase)p), NULL)
					     .step,
				     END_NOTHING),
				  "phase %d", p);
}

Test(end, counts_what_is_neither_refused_nor_left_as_it_is)
{
	cr_assert(eq(int, end_of(PHASE_NEW, CAUSE_HANDSHAKE_TIMEOUT, NULL).count,
		     COUNT_SILENT));
	cr_assert(eq(int, end_of(PHASE_HEAD, CAUSE_HANDSHAKE_TIMEOUT, NULL).count,
		     COUNT_NONE));
	cr_assert(eq(int, end_of(PHASE_OPEN, CAUSE_NO_PONG, NULL).count, COUNT_SILENT));
	cr_assert(
		eq(int, end_of(PHASE_LINGER, CAUSE_STALLED, NULL).count, COUNT_STALLED));
	cr_assert(eq(int, end_of(PHASE_GONE, CAUSE_STALLED, NULL).count, COUNT_NONE));
	cr_assert(eq(int, end_of(PHASE_CLOSING, CAUSE_CLOSE_TIMEOUT, NULL).count,
		     COUNT_UNANSWERED));
	cr_assert(eq(int, end_of(PHASE_OWING, CAUSE_CLOSE_TIMEOUT, NULL).count,
		     COUNT_NONE));
	cr_assert(eq(int, end_of(PHASE_OPEN, CAUSE_NO_MEMORY, NULL).count, COUNT_BROKEN));
	cr_assert(eq(int, end_of(PHASE_BODY, CAUSE_NO_MEMORY, NULL).count, COUNT_NONE));
}

Test(end, answers_a_close_frame_with_its_code_alone)
{
	cr_assert(end_of(PHASE_OPEN, CAUSE_CLOSE_FRAME, &words).is_reply);
	cr_assert(not(end_of(PHASE_OPEN, CAUSE_BAD_MESSAGE, &words).is_reply));
	cr_assert(not(end_of(PHASE_OPEN, CAUSE_COMMAND_CLOSE, &words).is_reply));
}
