#include "edge/channels/publication.h"

#include "proto/batch.h"
#include "ws/frame.h"

#include <assert.h>
#include <stdlib.h>

static struct span copy(uint8_t **to, ProtobufCBinaryData from)
{
	uint8_t *at = *to;

	if (from.len > 0)
		memcpy(at, from.data, from.len);
	*to += from.len;
	return span_of(at, from.len);
}

struct publication *publication_new(const Gatepost__Publication *m)
{
	size_t n = m->n_tags, bytes = 0; /* ENVELOPE_TAGS */
	struct publication *p;
	uint8_t *at;

	for (size_t i = 0; i < n; i++)
		bytes += m->tags[i]->key.len + m->tags[i]->value.len;
	p = xmalloc(sizeof *p + n * sizeof *p->tags + bytes);
	*p = (struct publication){
		.refs = 1,
		.is_binary = m->binary,
		.n_tags = (uint8_t)n,
		.offset = m->offset,
		.frame = frame_blob(m->binary ? FRAME_BINARY : FRAME_TEXT,
				    span_from(m->body)),
	};
	at = (uint8_t *)&p->tags[n];
	for (size_t i = 0; i < n; i++) {
		p->tags[i].key = copy(&at, m->tags[i]->key);
		p->tags[i].value = copy(&at, m->tags[i]->value);
	}
	return p;
}

struct publication *publication_reset(struct blob *frame)
{
	struct publication *p = xmalloc(sizeof *p);

	*p = (struct publication){.refs = 1, .is_reset = true, .frame = frame};
	return p;
}

struct publication *publication_ref(struct publication *p)
{
	p->refs++;
	return p;
}

void publication_unref(struct publication *p)
{
	assert(p->refs > 0);
	if (--p->refs > 0)
		return;
	blob_unref(p->frame);
	free(p);
}

static struct publication **place(const struct shelf *s, uint32_t i)
{
	assert(s->room > 0);
	return &s->of[(s->first + i) & (s->room - 1)];
}

struct publication *shelf_at(const struct shelf *s, uint32_t i)
{
	assert(i < s->n);
	return *place(s, i);
}

/* room stays a power of two. */
static void grow(struct shelf *s)
{
	uint32_t room = s->room > 0 ? s->room * 2 : 4;
	struct publication **of = xmalloc(room * sizeof *of);

	for (uint32_t i = 0; i < s->n; i++)
		of[i] = shelf_at(s, i);
	free(s->of);
	s->of = of;
	s->first = 0;
	s->room = room;
}

void shelf_insert(struct shelf *s, uint32_t i, struct publication *p)
{
	assert(i <= s->n);
	if (s->n == s->room)
		grow(s);
	for (uint32_t k = s->n; k > i; k--)
		*place(s, k) = *place(s, k - 1);
	*place(s, i) = publication_ref(p);
	s->n++;
	s->bytes += blob_memory(p->frame);
}

void shelf_push(struct shelf *s, struct publication *p)
{
	shelf_insert(s, s->n, p);
}

struct publication *shelf_shift(struct shelf *s)
{
	struct publication *p = shelf_at(s, 0);

	s->first = (s->first + 1) & (s->room - 1);
	s->n--;
	s->bytes -= blob_memory(p->frame);
	return p;
}

struct publication *shelf_pop(struct shelf *s)
{
	struct publication *p = shelf_at(s, s->n - 1);

	s->n--;
	s->bytes -= blob_memory(p->frame);
	return p;
}

void shelf_clear(struct shelf *s)
{
	while (s->n > 0)
		publication_unref(shelf_shift(s));
	free(s->of);
	*s = (struct shelf){.n = 0};
}
