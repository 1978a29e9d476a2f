#include "broker/channels/delivery/gap.h"

#include "base/mem.h"
#include "broker/channels/delivery/fanout.h"
#include "proto/envelope.h"

#include <stdlib.h>
#include <sys/queue.h>

enum {
	READS = 64,           /* at a time: each may bring 1 MiB */
	MOST = 65536,         /* that wait; edges ask again for the rest */
	FILL_BYTES = 1 << 20, /* of bodies, but for the last one */
};

/* A Gap that was not answered yet. */
struct gap {
	TAILQ_ENTRY(gap) next;
	struct gaps *gaps;
	struct edge_link *edge;     /* a reference */
	struct config_namespace ns; /* its numbers; what it points to may be gone */
	struct span channel, epoch; /* in text */
	int64_t offset;
	bool is_reading; /* in reading, else in queue */
	uint8_t text[];
};

TAILQ_HEAD(gap_list, gap);

struct gaps {
	struct gaps_uses uses;
	struct gap_list queue, reading;
	size_t n_queue, n_reading;
	bool is_starting;
	struct metric *filled, *lost, *failed;
};

static void on_history(void *arg, const struct failure *f,
		       const struct channel_history *h);
static void on_newest(void *arg, const struct failure *f,
		      const struct channel_history *h);

static struct metric *counter(struct metrics *m, const char *labels)
{
	return metric_counter(m, "gatepost_broker_gaps_total", labels,
			      "Questions of edges about missed publications, by result");
}

struct gaps *gaps_new(const struct gaps_uses *uses)
{
	struct gaps *gs = xcalloc(1, sizeof *gs);

	gs->uses = *uses;
	TAILQ_INIT(&gs->queue);
	TAILQ_INIT(&gs->reading);
	gs->filled = counter(uses->metrics, "result=\"filled\"");
	gs->lost = counter(uses->metrics, "result=\"lost\"");
	gs->failed = counter(uses->metrics, "result=\"failed\"");
	return gs;
}

static void gap_free(struct gap *g)
{
	struct gaps *gs = g->gaps;

	if (g->is_reading) {
		TAILQ_REMOVE(&gs->reading, g, next);
		gs->n_reading--;
	} else {
		TAILQ_REMOVE(&gs->queue, g, next);
		gs->n_queue--;
	}
	edge_link_unref(g->edge);
	free(g);
}

void gaps_free(struct gaps *gs)
{
	struct gap *g;

	if (gs == NULL)
		return;
	while ((g = TAILQ_FIRST(&gs->queue)) != NULL ||
	       (g = TAILQ_FIRST(&gs->reading)) != NULL)
		gap_free(g);
	free(gs);
}

/* ---- the answer ---- */

static struct position from(const struct gap *g)
{
	return (struct position){g->epoch, g->offset};
}

static Gatepost__Publication *publication(struct batch *b, const struct gap *g,
					  struct position at,
					  const struct channel_message *m, size_t *bytes)
{
	struct blob *body = message_frame(g->channel, at, m->time_ms, m->message);
	struct message_tags tags;
	Gatepost__Publication *p;

	message_tags(m->message, &tags);
	p = fanout_publication(b, at.offset, body, false, &tags);
	*bytes += body->n;
	message_tags_close(&tags);
	blob_unref(body);
	return p;
}

/* h: what to send of it; its first message follows g's position, unless lost. */
static void fill(struct gap *g, struct position top, const struct channel_history *h,
		 bool lost)
{
	struct batch *b;
	Gatepost__Fill *m;
	size_t bytes = 0;

	if (edge_link_out(g->edge) == NULL)
		return;
	m = edge_link_fill(g->edge);
	b = &edge_link_out(g->edge)->out;
	m->channel = batch_copy(b, g->channel);
	m->from = fanout_position(b, from(g));
	m->top = fanout_position(b, top);
	m->lost = lost;
	metric_add(lost ? g->gaps->lost : g->gaps->filled, 1);
	if (h == NULL || h->n == 0)
		return;
	m->publications =
		proto_arena_alloc_raw(&b->arena, h->n * sizeof *m->publications);
	for (size_t i = 0; i < h->n && bytes < FILL_BYTES; i++) {
		struct position at = {top.epoch, h->first + (int64_t)i};

		m->publications[m->n_publications++] =
			publication(b, g, at, &h->messages[i], &bytes);
	}
}

/* ---- the questions to the store ---- */

static void start(struct gap *g);

/* The next ones of the queue may be read. */
static void start_more(struct gaps *gs)
{
	struct gap *g;

	if (gs->is_starting) /* further up in this stack */
		return;
	gs->is_starting = true;
	while (gs->n_reading < READS && (g = TAILQ_FIRST(&gs->queue)) != NULL) {
		TAILQ_REMOVE(&gs->queue, g, next);
		gs->n_queue--;
		TAILQ_INSERT_TAIL(&gs->reading, g, next);
		gs->n_reading++;
		g->is_reading = true;
		start(g);
	}
	gs->is_starting = false;
}

static void finish(struct gap *g)
{
	struct gaps *gs = g->gaps;

	gap_free(g);
	start_more(gs);
}

static void ask(struct gap *g, int64_t after, bool newest, read_fn *fn)
{
	read_channel(g->gaps->uses.readers,
		     &(struct read_request){
			     .ns = &g->ns,
			     .channel = g->channel,
			     .after = after,
			     .until = -1,
			     .limit = newest ? 1 : ENVELOPE_PUBLICATIONS,
			     .bytes = FILL_BYTES,
			     .newest = newest,
		     },
		     fn, g);
}

static void start(struct gap *g)
{
	const struct gaps_uses *uses = &g->gaps->uses;
	const struct config_namespace *ns = uses->ns(uses->arg, g->channel);

	if (ns == NULL ||
	    ns->history.size == 0) { /* no more: nobody knows what follows */
		fill(g, from(g), NULL, true);
		finish(g);
		return;
	}
	g->ns = *ns;
	ask(g, g->offset, false, on_history);
}

static void fail(struct gap *g)
{
	metric_add(g->gaps->failed, 1);
	finish(g);
}

/* Is all that follows the position still kept? */
static bool is_there(const struct gap *g, const struct channel_history *h)
{
	return span_eq(h->position.epoch, g->epoch) && h->base <= g->offset &&
	       h->position.offset >= g->offset;
}

static void on_history(void *arg, const struct failure *f,
		       const struct channel_history *h)
{
	struct gap *g = arg;

	if (f != NULL) {
		fail(g);
	} else if (!is_there(g, h)) {
		ask(g, 0, true, on_newest);
	} else {
		fill(g, h->position, h, false);
		finish(g);
	}
}

static void on_newest(void *arg, const struct failure *f, const struct channel_history *h)
{
	struct gap *g = arg;

	if (f != NULL) {
		fail(g);
		return;
	}
	fill(g, h->position, h, true);
	finish(g);
}

static struct gap *gap_new(struct gaps *gs, struct edge_link *edge, struct span channel,
			   struct position p)
{
	struct gap *g = xcalloc(1, sizeof *g + channel.n + p.epoch.n);

	g->gaps = gs;
	g->edge = edge_link_ref(edge);
	memcpy(g->text, channel.p, channel.n);
	memcpy(g->text + channel.n, p.epoch.p, p.epoch.n);
	g->channel = span_of(g->text, channel.n);
	g->epoch = span_of(g->text + channel.n, p.epoch.n);
	g->offset = p.offset;
	TAILQ_INSERT_TAIL(&gs->queue, g, next);
	gs->n_queue++;
	return g;
}

void gaps_receive(struct gaps *gs, struct edge_link *from, const Gatepost__Gap *m)
{
	struct span channel = span_from(m->channel);
	struct position p = {span_from(m->position->epoch), (int64_t)m->position->offset};

	interest_delivered(gs->uses.interest, channel, p);
	if (gs->n_queue >= MOST) {
		metric_add(gs->failed, 1);
		return;
	}
	gap_new(gs, from, channel, p);
	start_more(gs);
}
