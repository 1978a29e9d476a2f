#include "bench/crowd.h"

#include "base/mem.h"
#include "ws/frame.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

static const char head[] = "{\"action\":\"echo\",\"data\":\"";
static const char tail[] = "\"}";

enum { NUMBERS_AT = sizeof head - 1, LEAST_IN = 1 << 16 };

static void write_body(struct crowd *c)
{
	size_t n = (size_t)c->plan->size;

	memset(c->body, '.', n);
	memcpy(c->body, head, sizeof head - 1);
	memcpy(c->body + n - (sizeof tail - 1), tail, sizeof tail - 1);
}

void crowd_init(struct crowd *c, const struct plan *p, struct tally *t, uint32_t first,
		uint64_t seed)
{
	size_t frame = (size_t)p->size + FRAME_HEADER_MOST;

	*c = (struct crowd){.plan = p,
			    .tally = t,
			    .first = first,
			    .seed = seed,
			    .random = seed ^ first};
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	c->in_n = frame + LEAST_IN;
	c->in = xmalloc(c->in_n);
	c->out = xmalloc(frame);
	c->body = xmalloc((size_t)p->size);
	write_body(c);
}

void crowd_close(struct crowd *c)
{
	close(c->epoll);
	free(c->in);
	free(c->out);
	free(c->body);
}

static void put_hex(uint8_t *out, uint32_t n)
{
	for (int i = 7; i >= 0; i--, n >>= 4)
		out[i] = (uint8_t) "0123456789abcdef"[n & 0xf];
}

struct span crowd_message(struct crowd *c, uint32_t client, uint32_t message)
{
	put_hex(c->body + NUMBERS_AT, client);
	put_hex(c->body + NUMBERS_AT + 9, message);
	return span_of(c->body, (size_t)c->plan->size);
}

uint32_t crowd_mask(struct crowd *c)
{
	c->random = c->random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(c->random >> 32);
}

int64_t crowd_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
