#include "fake_channels.h"

#include "base/mem.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <sys/queue.h>

enum { LISTENERS = 4, KEPT = 16 };

struct question {
	STAILQ_ENTRY(question) next;
	struct fake_channel_asked asked;
	store_append_fn *append;
	store_history_fn *history;
	void *arg;
	char *kept[KEPT];
	size_t n_kept;
};

static STAILQ_HEAD(, question) waiting = STAILQ_HEAD_INITIALIZER(waiting);
static struct {
	loop_fn *fn;
	void *arg;
} listeners[LISTENERS];
static size_t n_listeners;

static void keep(struct question *q, struct span *s)
{
	char *copy = span_dup(*s);

	cr_assert(q->n_kept < KEPT);
	q->kept[q->n_kept++] = copy;
	*s = span_of(copy, s->n);
}

static void keep_look(struct question *q, struct channel_look *look)
{
	keep(q, &look->channel);
	keep(q, &look->generation);
	keep(q, &look->proposed);
	keep(q, &look->known.epoch);
}

static struct question *ask(void *arg)
{
	struct question *q = xcalloc(1, sizeof *q);

	q->arg = arg;
	STAILQ_INSERT_TAIL(&waiting, q, next);
	return q;
}

void store_channel_append(struct store *st, const struct channel_append *a,
			  store_append_fn *fn, void *arg)
{
	struct question *q = ask(arg);

	(void)st;
	q->append = fn;
	q->asked.append = *a;
	keep_look(q, &q->asked.append.look);
	keep(q, &q->asked.append.key);
	keep(q, &q->asked.append.from);
	keep(q, &q->asked.append.message);
}

void store_channel_read(struct store *st, const struct channel_read *r,
			store_history_fn *fn, void *arg)
{
	struct question *q = ask(arg);

	(void)st;
	q->history = fn;
	q->asked.is_read = true;
	q->asked.read = *r;
	keep_look(q, &q->asked.read.look);
}

void store_on_up(struct store *st, loop_fn *fn, void *arg)
{
	(void)st;
	cr_assert(n_listeners < LISTENERS);
	listeners[n_listeners].fn = fn;
	listeners[n_listeners++].arg = arg;
}

void fake_channels_up(void)
{
	for (size_t i = 0; i < n_listeners; i++)
		listeners[i].fn(listeners[i].arg);
}

static struct question *first(bool is_read)
{
	struct question *q = STAILQ_FIRST(&waiting);

	cr_assert(q != NULL, "the store was not asked");
	cr_assert(eq(int, q->asked.is_read, is_read),
		  "the store was asked something else");
	return q;
}

const struct fake_channel_asked *fake_channels_append(void)
{
	return &first(false)->asked;
}

const struct fake_channel_asked *fake_channels_read(void)
{
	return &first(true)->asked;
}

size_t fake_channels_waiting(void)
{
	struct question *q;
	size_t n = 0;

	STAILQ_FOREACH (q, &waiting, next)
		n++;
	return n;
}

static void question_free(struct question *q)
{
	for (size_t i = 0; i < q->n_kept; i++)
		free(q->kept[i]);
	free(q);
}

static void answer_append(struct question *q, enum err e,
			  const struct channel_appended *a)
{
	STAILQ_REMOVE_HEAD(&waiting, next);
	q->append(q->arg, e, a);
	question_free(q);
}

static void answer_read(struct question *q, enum err e, const struct channel_history *h)
{
	STAILQ_REMOVE_HEAD(&waiting, next);
	q->history(q->arg, e, h);
	question_free(q);
}

void fake_channels_appended(enum channel_outcome outcome, const char *epoch,
			    int64_t offset, int64_t time_ms)
{
	answer_append(
		first(false), OK,
		&(struct channel_appended){outcome, {span_str(epoch), offset}, time_ms});
}

void fake_channels_history(const char *epoch, int64_t offset, int64_t base,
			   int64_t first_one, const char *const *messages, size_t n)
{
	struct channel_message *all = xcalloc(n + 1, sizeof *all);

	for (size_t i = 0; i < n; i++)
		all[i] = (struct channel_message){5000, span_str(messages[i])};
	answer_read(first(true), OK,
		    &(struct channel_history){.position = {span_str(epoch), offset},
					      .base = base,
					      .first = first_one,
					      .messages = all,
					      .n = n});
	free(all);
}

void fake_channels_fail(enum err e)
{
	struct question *q = STAILQ_FIRST(&waiting);

	cr_assert(q != NULL, "the store was not asked");
	if (q->asked.is_read)
		answer_read(q, e, NULL);
	else
		answer_append(q, e, NULL);
}

void fake_channels_close(void)
{
	struct question *q;

	while ((q = STAILQ_FIRST(&waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&waiting, next);
		question_free(q);
	}
	n_listeners = 0;
}
