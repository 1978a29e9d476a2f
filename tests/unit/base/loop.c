#include "base/loop.h"

#include "base/clock.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Each callback adds its letter. */
static char story[64];
static struct loop *loop;
static struct timer *timer;

static void say(const char *letter)
{
	strncat(story, letter, sizeof story - strlen(story) - 1);
}

static void on_word(void *arg)
{
	say(arg);
}

static void on_stop(void *arg)
{
	say(arg);
	loop_stop(loop);
}

static void start(void)
{
	loop = loop_new();
	story[0] = '\0';
}

static void end(void)
{
	loop_free(loop);
}

TestSuite(loop, .init = start, .fini = end, .timeout = 60);

Test(loop, timers_fire_in_the_order_of_their_times)
{
	struct timer *c = timer_new(loop, on_stop, "c");
	struct timer *a = timer_new(loop, on_word, "a");
	struct timer *b = timer_new(loop, on_word, "b");

	timer_after(c, 30);
	timer_after(a, 0);
	timer_after(b, 15);
	loop_run(loop);
	cr_assert(eq(str, story, "abc"));
	timer_free(a);
	timer_free(b);
	timer_free(c);
}

Test(loop, a_stopped_timer_is_silent_and_one_set_anew_fires_once)
{
	struct timer *stopped = timer_new(loop, on_word, "x");
	struct timer *again = timer_new(loop, on_word, "a");
	struct timer *last = timer_new(loop, on_stop, ".");

	timer_after(stopped, 5);
	timer_stop(stopped);
	timer_after(again, 1);
	timer_after(again, 2);
	timer_after(last, 20);
	loop_run(loop);
	cr_assert(eq(str, story, "a."));
	timer_free(stopped);
	timer_free(again);
	timer_free(last);
}

static void on_tick(void *arg)
{
	(void)arg;
	say("t");
	if (strlen(story) == 3)
		timer_stop(timer);
}

Test(loop, a_repeating_timer_fires_until_it_is_stopped_from_inside)
{
	struct timer *last = timer_new(loop, on_stop, ".");

	timer = timer_new(loop, on_tick, NULL);
	timer_every(timer, 2);
	timer_after(last, 40);
	loop_run(loop);
	cr_assert(eq(str, story, "ttt."));
	timer_free(timer);
	timer_free(last);
}

static void on_free_self(void *arg)
{
	(void)arg;
	timer_free(timer);
	on_stop("f");
}

Test(loop, a_timer_may_be_freed_in_its_own_callback)
{
	timer = timer_new(loop, on_free_self, NULL);
	timer_every(timer, 1);
	loop_run(loop);
	cr_assert(eq(str, story, "f"));
}

static void on_defer(void *arg)
{
	say("c");
	loop_defer(loop, on_word, "d");
	loop_stop(loop);
	(void)arg;
}

Test(loop, hooks_come_after_the_callbacks_then_the_deferred_then_the_hooks_for_them)
{
	struct timer *t = timer_new(loop, on_defer, NULL);

	loop_at_turn_end(loop, on_word, "1");
	loop_at_turn_end(loop, on_word, "2");
	timer_after(t, 0);
	loop_run(loop);
	cr_assert(eq(str, story, "c12d12"));
	timer_free(t);
}

static void on_defer_more(void *arg)
{
	intptr_t left = (intptr_t)arg;

	say("d");
	if (left)
		loop_defer(loop, on_defer_more, (void *)(left - 1));
	else
		loop_stop(loop);
}

/* No timer and no descriptor would wake this loop. */
Test(loop, what_a_deferred_call_defers_does_not_wait_for_an_event)
{
	loop_defer(loop, on_defer_more, (void *)3);
	loop_run(loop);
	cr_assert(eq(str, story, "dddd"));
}

Test(loop, what_is_still_deferred_at_the_end_is_run_by_free)
{
	struct loop *other = loop_new();

	loop_defer(other, on_word, "a");
	loop_free(other);
	loop_free(NULL);
	cr_assert(eq(str, story, "a"));
}

static void on_kill(void *arg)
{
	(void)arg;
	raise(strlen(story) == 0 ? SIGTERM : SIGINT);
}

static void on_signal(void *arg)
{
	(void)arg;
	say("s");
	if (strlen(story) == 2)
		loop_stop(loop);
	else
		timer_after(timer, 0);
}

Test(loop, both_signals_are_told_each_time)
{
	timer = timer_new(loop, on_kill, NULL);
	loop_on_signal(loop, on_signal, NULL);
	timer_after(timer, 0);
	loop_run(loop);
	cr_assert(eq(str, story, "ss"));
	timer_free(timer);
}

Test(loop, a_pipe_without_a_reader_is_an_error_and_no_death)
{
	int ends[2];

	cr_assert(eq(int, pipe(ends), 0));
	close(ends[0]);
	cr_assert(eq(int, (int)write(ends[1], "x", 1), -1));
	close(ends[1]);
}

static int64_t first, second;

static void on_busy(void *arg)
{
	(void)arg;
	first = loop_now(loop);
	while (clock_ms() <= first + 2)
		;
	second = loop_now(loop);
}

static void on_later(void *arg)
{
	(void)arg;
	cr_assert(gt(i64, loop_now(loop), first));
	loop_stop(loop);
}

Test(loop, time_stands_still_within_a_turn_and_moves_between_turns)
{
	struct timer *busy = timer_new(loop, on_busy, NULL);
	struct timer *later = timer_new(loop, on_later, NULL);

	timer_after(busy, 0);
	timer_after(later, 10);
	loop_run(loop);
	cr_assert(eq(i64, first, second));
	timer_free(busy);
	timer_free(later);
}
