#include "broker/channels/delivery/publish.h"

#include "base/clock.h"
#include "base/mem.h"
#include "broker/channels/delivery/fanout.h"
#include "broker/channels/delivery/generation.h"
#include "proto/envelope.h"

#include <stdlib.h>
#include <sys/queue.h>

/* Limits of the publications under way in this broker. */
enum { MOST = 20000, MOST_BYTES = 64 * 1024 * 1024 };

static const struct failure store_down = {
	"unavailable", "Redis is unreachable, publish again in a moment", true};
static const struct failure edges_unknown = {"unavailable",
					     "This broker does not know the subscribers "
					     "of all edges, publish again in a moment",
					     true};
static const struct failure edge_slow = {
	"unavailable", "An edge does not keep up, publish again in a moment", true};
static const struct failure too_many = {
	"unavailable", "This broker has too many publications in progress, publish again",
	true};

/* A publication under way, with what it needs of its namespace, which may be gone meanwhile. */
struct publishing {
	LIST_ENTRY(publishing) next;
	struct publishers *publishers;
	publish_fn *fn;
	void *arg;
	struct channel_append append; /* its spans point to text and to content */
	struct blob *content;         /* the tail; format raw: the body */
	struct message_tags tags;
	bool has_history, is_raw, is_binary, wants_receipt;
	int64_t time_ms;
	struct metric *counted; /* unless it fails */
	struct published result;
	uint8_t epoch[ENVELOPE_EPOCH]; /* of result.position */
	int64_t asked_ms;
	uint8_t text[]; /* the channel, the key, the id of the connection */
};

struct publishers {
	struct publishers_uses uses;
	LIST_HEAD(, publishing) all;
	size_t n, bytes;
	struct metric *published, *repeated, *duplicate, *suppressed, *unavailable;
	struct metric *seconds;
};

static void on_interest(void *arg, bool in_time);
static void on_generation(void *arg, const char *generation);
static void on_appended(void *arg, enum err e, const struct channel_appended *a);
static void on_interest_again(void *arg, bool in_time);
static void on_receipt(void *arg, uint32_t edges, uint32_t connections);

static struct metric *counter(struct metrics *m, const char *labels)
{
	return metric_counter(m, "gatepost_broker_publications_total", labels,
			      "Publications in channels, by result");
}

struct publishers *publishers_new(const struct publishers_uses *uses)
{
	struct publishers *p = xcalloc(1, sizeof *p);
	struct metrics *m = uses->metrics;

	p->uses = *uses;
	LIST_INIT(&p->all);
	p->published = counter(m, "result=\"published\"");
	p->repeated = counter(m, "result=\"repeated\"");
	p->duplicate = counter(m, "result=\"duplicate\"");
	p->suppressed = counter(m, "result=\"suppressed\"");
	p->unavailable = counter(m, "result=\"unavailable\"");
	p->seconds = metric_seconds(m, "gatepost_broker_append_seconds", NULL,
				    "From asking Redis to append a publication to its "
				    "answer");
	return p;
}

static size_t memory_of(const struct publishing *g)
{
	return sizeof *g + g->append.look.channel.n + g->append.key.n + g->append.from.n +
	       blob_memory(g->content) + blob_memory(g->tags.text);
}

static void publishing_free(struct publishing *g)
{
	struct publishers *p = g->publishers;

	p->n--;
	p->bytes -= memory_of(g);
	LIST_REMOVE(g, next);
	blob_unref(g->content);
	message_tags_close(&g->tags);
	free(g);
}

void publishers_free(struct publishers *p)
{
	struct publishing *g;

	if (p == NULL)
		return;
	while ((g = LIST_FIRST(&p->all)) != NULL)
		publishing_free(g);
	free(p);
}

/* ---- the end ---- */

static void finish(struct publishing *g)
{
	if (g->result.failure != NULL)
		g->counted = g->publishers->unavailable;
	metric_add(g->counted, 1);
	g->fn(g->arg, &g->result);
	publishing_free(g);
}

static void fail(struct publishing *g, const struct failure *why)
{
	g->result = (struct published){.failure = why};
	finish(g);
}

static void on_receipt(void *arg, uint32_t edges, uint32_t connections)
{
	struct publishing *g = arg;

	g->result.edges = edges;
	g->result.connections = connections;
	finish(g);
}

/* ---- to the edges ---- */

static struct blob *body_of(const struct publishing *g, struct position position)
{
	if (g->is_raw)
		return blob_ref(g->content);
	return message_frame(g->append.look.channel, position, g->time_ms,
			     blob_span(g->content));
}

static void deliver(struct publishing *g)
{
	const struct publishers_uses *uses = &g->publishers->uses;
	struct position position = {.offset = 0};
	struct receipt *receipt = NULL;
	struct blob *body;
	size_t left_out;

	if (g->has_history)
		position = g->result.position;
	if (g->wants_receipt)
		receipt = receipt_new(uses->receipts);
	body = body_of(g, position);
	left_out =
		fanout_send(uses->fanout, &(struct fanout_message){
						  .channel = g->append.look.channel,
						  .position = position,
						  .body = body,
						  .is_binary = g->is_raw && g->is_binary,
						  .tags = &g->tags,
						  .receipt = receipt,
					  });
	blob_unref(body);
	if (left_out > 0 && !g->has_history)
		g->result.failure = &edge_slow;
	if (receipt != NULL)
		receipt_await(receipt, on_receipt, g);
	else
		finish(g);
}

/* ---- through the store ---- */

static bool needs_store(const struct publishing *g)
{
	return g->has_history || g->append.key.n > 0 || g->append.has_version;
}

static void on_generation(void *arg, const char *generation)
{
	struct publishing *g = arg;
	const struct publishers_uses *uses = &g->publishers->uses;
	char proposed[GENERATION_PROPOSED];
	struct channel_look *look = &g->append.look;

	if (generation == NULL) {
		fail(g, &store_down);
		return;
	}
	look->generation = span_str(generation);
	look->proposed = span_str(generation_proposed(uses->generation, proposed));
	look->known = interest_known(uses->interest, look->channel);
	g->append.now_ms = clock_wall_ms();
	g->append.message = g->has_history ? blob_span(g->content) : span_str("");
	g->asked_ms = loop_now(uses->loop);
	store_channel_append(uses->store, &g->append, on_appended, g);
}

static void keep_position(struct publishing *g, struct position p)
{
	size_t n = p.epoch.n < sizeof g->epoch ? p.epoch.n : sizeof g->epoch;

	memcpy(g->epoch, p.epoch.p, n);
	g->result.position = (struct position){span_of(g->epoch, n), p.offset};
}

/* It has its place: deliver it, unless it was delivered before. */
static void conclude(struct publishing *g, const struct channel_appended *a)
{
	struct publishers *p = g->publishers;

	switch (a->outcome) {
	case CHANNEL_DUPLICATE:
		g->counted = p->duplicate;
		g->result.duplicate = true;
		finish(g);
		return;
	case CHANNEL_SUPPRESSED:
		g->counted = p->suppressed;
		g->result.suppressed = true;
		finish(g);
		return;
	case CHANNEL_REPEATED: g->counted = p->repeated; break;
	case CHANNEL_APPENDED: break;
	}
	if (g->has_history) {
		interest_delivered(p->uses.interest, g->append.look.channel,
				   g->result.position);
		deliver(g); /* edges drop what they have */
	} else if (a->outcome == CHANNEL_REPEATED) {
		finish(g); /* at most once */
	} else {
		interest_wait(p->uses.interest, on_interest_again, g);
	}
}

static void on_appended(void *arg, enum err e, const struct channel_appended *a)
{
	struct publishing *g = arg;
	struct publishers *p = g->publishers;

	metric_add(p->seconds, (loop_now(p->uses.loop) - g->asked_ms) * 1000);
	if (e != OK) {
		fail(g, &store_down);
		return;
	}
	g->time_ms = a->time_ms;
	if (g->has_history)
		keep_position(g, a->position);
	conclude(g, a);
}

/* The key is taken: whoever can be reached gets it, also when that is not sure to be all. */
static void on_interest_again(void *arg, bool in_time)
{
	struct publishing *g = arg;

	if (!in_time)
		g->result.failure = &edges_unknown;
	deliver(g);
}

/* ---- the beginning ---- */

static void on_interest(void *arg, bool in_time)
{
	struct publishing *g = arg;
	const struct publishers_uses *uses = &g->publishers->uses;

	if (!in_time) {
		fail(g, &edges_unknown);
	} else if (!fanout_has_credit(uses->fanout, g->append.look.channel)) {
		fail(g, &edge_slow);
	} else if (needs_store(g)) {
		generation_get(uses->generation, on_generation, g);
	} else {
		g->time_ms = clock_wall_ms();
		deliver(g);
	}
}

/* A copy of s at *at, which is moved behind it. */
static struct span keep(uint8_t **at, struct span s)
{
	uint8_t *to = *at;

	if (s.n > 0)
		memcpy(to, s.p, s.n);
	*at += s.n;
	return span_of(to, s.n);
}

static struct channel_append append_of(const struct publication *q, uint8_t *at)
{
	const struct config_namespace *ns = q->ns;
	struct channel_append a = {
		.look = {.channel = keep(&at, q->channel), .ttl_ms = ns->history.ttl_ms},
		.size = ns->history.size,
		.bytes = ns->history.bytes,
		.key = keep(&at, q->key),
		.key_ttl_ms = ns->key_ms,
		.event = q->event,
		.index = q->index,
		.event_ms = q->event_ms,
		.has_version = q->has_version,
		.version = q->version,
	};
	char id[ID_TEXT];

	if (q->from != NULL)
		a.from = keep(&at, span_str(id_text(q->from, id)));
	return a;
}

static struct publishing *publishing_new(struct publishers *p,
					 const struct publication *q, publish_fn *fn,
					 void *arg)
{
	struct publishing *g = xcalloc(1, sizeof *g + q->channel.n + q->key.n + ID_TEXT);

	g->publishers = p;
	g->counted = p->published;
	g->fn = fn;
	g->arg = arg;
	g->append = append_of(q, g->text);
	g->has_history = q->ns->history.size > 0;
	g->is_raw = q->ns->format == CHANNEL_RAW;
	g->is_binary = q->is_binary;
	g->wants_receipt = q->receipt;
	g->content = g->is_raw ? message_raw(q) : message_tail(q);
	message_tags_of(q, &g->tags);
	LIST_INSERT_HEAD(&p->all, g, next);
	p->n++;
	p->bytes += memory_of(g);
	return g;
}

void publish(struct publishers *p, const struct publication *q, publish_fn *fn, void *arg)
{
	struct publishing *g;

	if (p->n >= MOST || p->bytes >= MOST_BYTES) {
		metric_add(p->unavailable, 1);
		fn(arg, &(struct published){.failure = &too_many});
		return;
	}
	g = publishing_new(p, q, fn, arg);
	if (g->has_history)
		generation_get(p->uses.generation, on_generation, g);
	else
		interest_wait(p->uses.interest, on_interest, g);
}
