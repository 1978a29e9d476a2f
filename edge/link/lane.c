#include "edge/link/lane.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

void lane_begin(struct lane *l, const struct id *id, struct blob *context)
{
	assert(l->first == NULL && l->waits_in == NULL);
	l->id = *id;
	blob_unref(l->context);
	l->context = context;
	l->next_seq = 0;
	l->detours = 0;
}

static uint32_t memory_of(const struct lane_event *e)
{
	return (uint32_t)(mem_chunk(sizeof *e) + blob_memory(e->body) +
			  blob_memory(e->request));
}

struct lane_event *lane_append(struct lane *l, uint8_t kind, int64_t time_ms,
			       struct blob *request, struct blob *body)
{
	struct lane_event *e = xmalloc(sizeof *e);

	*e = (struct lane_event){
		.seq = l->next_seq++,
		.time_ms = time_ms,
		.request = request,
		.body = body,
		.kind = kind,
	};
	if (l->first == NULL)
		l->first = e;
	else
		l->last->next = e;
	l->last = e;
	if (l->unsent == NULL)
		l->unsent = e;
	l->n++;
	e->memory = memory_of(e);
	l->bytes += e->memory;
	return e;
}

struct lane_event *lane_find(const struct lane *l, uint64_t seq)
{
	struct lane_event *e = l->first;

	while (e != l->unsent && e->seq != seq)
		e = e->next;
	return e == l->unsent ? NULL : e;
}

static void event_free(struct lane_event *e)
{
	blob_unref(e->request);
	blob_unref(e->body);
	free(e);
}

void lane_done(struct lane *l, struct lane_event *e)
{
	struct lane_event *before = NULL;

	for (struct lane_event *i = l->first; i != e; i = i->next)
		before = i;
	if (before == NULL)
		l->first = e->next;
	else
		before->next = e->next;
	if (l->last == e)
		l->last = before;
	l->n--;
	l->bytes -= e->memory;
	event_free(e);
}

void lane_restart(struct lane *l, struct broker_link *owner, uint32_t ring_version)
{
	l->owner = owner;
	l->ring_version = ring_version;
	l->term++;
	l->unsent = l->first;
}

uint32_t lane_under_way(const struct lane *l)
{
	uint32_t n = 0;

	for (const struct lane_event *e = l->first; e != l->unsent; e = e->next)
		n++;
	return n;
}

void lane_queue_init(struct lane_queue *q)
{
	TAILQ_INIT(&q->lanes);
}

void lane_join_queue(struct lane *l, struct lane_queue *q)
{
	if (l->waits_in == q)
		return;
	lane_leave_queue(l);
	TAILQ_INSERT_TAIL(&q->lanes, l, waiting);
	l->waits_in = q;
}

void lane_leave_queue(struct lane *l)
{
	if (l->waits_in == NULL)
		return;
	TAILQ_REMOVE(&l->waits_in->lanes, l, waiting);
	l->waits_in = NULL;
}

void lane_close(struct lane *l)
{
	lane_leave_queue(l);
	while (l->first != NULL) {
		struct lane_event *e = l->first;

		l->first = e->next;
		event_free(e);
	}
	l->last = l->unsent = NULL;
	l->n = l->bytes = 0;
	l->is_open = false;
	blob_unref(l->context);
	l->context = NULL;
}
