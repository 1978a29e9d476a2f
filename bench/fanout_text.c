#include "bench/fanout_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define MARK_FORMAT "#%08" PRIx32 " %08" PRIx32 " %08" PRIx32 " %02" PRIx32 " %016" PRIx64
enum { MARK_CHARS = 1 + 8 + 1 + 8 + 1 + 8 + 1 + 2 + 1 + 16 };

static size_t name(const struct fanout_text *t, uint32_t channel, char *out, size_t n)
{
	return (size_t)snprintf(out, n, "%.200s%s%" PRIu32, t->space,
				t->space[0] != '\0' ? ":" : "", channel);
}

size_t fanout_text_subscribe(const struct fanout_text *t, uint32_t channel, uint32_t id,
			     char *out)
{
	char to[256];

	if (t->floor)
		return (size_t)snprintf(out, FANOUT_AROUND, "join %" PRIu32, channel);
	name(t, channel, to, sizeof to);
	return (size_t)snprintf(
		out, FANOUT_AROUND,
		"{\"action\":\"subscribe\",\"channel\":\"%s\",\"id\":%" PRIu32 "}", to,
		id);
}

size_t fanout_text_ping(uint32_t id, char *out)
{
	return (size_t)snprintf(out, FANOUT_AROUND,
				"{\"action\":\"ping\",\"id\":%" PRIu32 "}", id);
}

static size_t data(const struct fanout_mark *m, size_t size, char *out)
{
	int n = snprintf(out, MARK_CHARS + 1, MARK_FORMAT, m->number, m->channel,
			 m->sequence, m->publisher, (uint64_t)m->sent_us);

	memset(out + n, '.', size - (size_t)n);
	return size;
}

size_t fanout_text_publish(const struct fanout_text *t, const struct fanout_mark *m,
			   size_t size, char *out)
{
	char to[256];
	size_t n;

	if (t->floor) {
		n = (size_t)snprintf(out, FANOUT_AROUND, "send %" PRIu32 " ", m->channel);
		return n + data(m, size, out + n);
	}
	name(t, m->channel, to, sizeof to);
	n = (size_t)snprintf(out, FANOUT_AROUND,
			     "{\"action\":\"publish\",\"channel\":\"%s\",\"id\":%" PRIu32
			     ",\"data\":\"",
			     to, m->number);
	n += data(m, size, out + n);
	memcpy(out + n, "\"}", 2);
	return n + 2;
}

/* What follows these bytes; no bytes when they are not in it. */
static struct span behind(struct span in, const char *what)
{
	size_t n = strlen(what);
	const uint8_t *at = memmem(in.p, in.n, what, n);

	if (at == NULL)
		return span_of(NULL, 0);
	at += n;
	return span_of(at, (size_t)(in.p + in.n - at));
}

static bool number(struct span in, uint64_t *out)
{
	size_t i = 0;

	for (*out = 0; i < in.n && in.p[i] >= '0' && in.p[i] <= '9'; i++)
		*out = *out * 10 + (uint64_t)(in.p[i] - '0');
	return i > 0;
}

static bool hex(struct span *in, size_t digits, uint64_t *out)
{
	if (in->n < digits + 1)
		return false;
	*out = 0;
	for (size_t i = 1; i <= digits; i++) {
		unsigned c = in->p[i];
		unsigned v = c >= '0' && c <= '9' ? c - '0' : c - 'a' + 10;

		if (v > 15)
			return false;
		*out = *out << 4 | v;
	}
	*in = span_of(in->p + digits + 1, in->n - digits - 1);
	return true;
}

/* The mark at the beginning of the data, and that dots alone follow it. */
static bool read_data(struct span in, size_t size, struct fanout_mark *m)
{
	uint64_t word[5];

	if (in.n < size || in.p[0] != '#')
		return false;
	for (size_t i = MARK_CHARS; i < size; i++)
		if (in.p[i] != '.')
			return false;
	for (size_t i = 0; i < 5; i++)
		if (!hex(&in, (const size_t[]){8, 8, 8, 2, 16}[i], &word[i]))
			return false;
	*m = (struct fanout_mark){(uint32_t)word[0], (uint32_t)word[1], (uint32_t)word[2],
				  (uint32_t)word[3], (int64_t)word[4]};
	return true;
}

/* FNV-1a; never 0. */
static uint64_t hash(struct span s)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < s.n && s.p[i] != '"'; i++)
		h = (h ^ s.p[i]) * 0x100000001b3u;
	return h | 1;
}

static enum fanout_kind kind_of(struct span type)
{
	static const char *const names[] = {
		[FANOUT_MESSAGE] = "message\"",
		[FANOUT_ACK] = "ack\"",
		[FANOUT_ERROR] = "error\"",
		[FANOUT_RESET] = "reset\"",
		[FANOUT_UNSUBSCRIBED] = "unsubscribed\"",
	};

	for (enum fanout_kind k = 0; k < sizeof names / sizeof *names; k++)
		if (type.n >= strlen(names[k]) &&
		    memcmp(type.p, names[k], strlen(names[k])) == 0)
			return k;
	return FANOUT_OTHER;
}

/* in is up to its data, if it has any. */
static void read_fields(struct span in, struct fanout_said *out)
{
	struct span epoch = behind(in, "\"epoch\":\"");
	uint64_t id;

	out->has_id = number(behind(in, "\"id\":"), &id);
	out->id = out->has_id ? (uint32_t)id : 0;
	out->retryable = behind(in, "\"retryable\":true").p != NULL;
	if (!number(behind(in, "\"offset\":"), &out->offset))
		out->offset = 0;
	if (epoch.n > 0)
		out->epoch = hash(epoch);
}

void fanout_text_read(struct span in, size_t size, struct fanout_said *out)
{
	struct span text = in;

	*out = (struct fanout_said){.kind = FANOUT_MESSAGE};
	if (span_is(in, "joined")) {
		out->kind = FANOUT_ACK;
		return;
	}
	if (in.n > 0 && in.p[0] == '{') {
		out->kind = kind_of(behind(in, "\"type\":\""));
		text = behind(in, "\"data\":\"");
		read_fields(span_of(in.p, in.n - text.n), out);
		if (out->kind == FANOUT_MESSAGE &&
		    (text.n <= size || text.p[size] != '"'))
			out->kind = FANOUT_OTHER;
	} else if (in.n != size) {
		out->kind = FANOUT_OTHER;
	}
	if (out->kind == FANOUT_MESSAGE && !read_data(text, size, &out->mark))
		out->kind = FANOUT_OTHER;
}
