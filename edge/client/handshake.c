#include "edge/client/handshake.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>

struct handshake *handshake_new(struct clients *clients, const struct sockaddr *peer)
{
	struct handshake *h = xcalloc(1, sizeof *h);

	h->clients = clients;
	address_host(peer, h->peer);
	return h;
}

void http_abort(struct handshake *h)
{
	if (h == NULL)
		return;
	free(h->in);
	free(h->protocols);
	blob_unref(h->request);
	handshake_drop_body(h);
	for (size_t i = 0; i < h->n_early; i++)
		blob_unref(h->early[i]);
	free(h->early);
	h->clients->held_bytes -= h->early_bytes + h->counted;
	free(h);
}

struct span handshake_kept(const struct handshake *h)
{
	return span_of(h->in + h->at, h->n - h->at);
}

/* What is used has its room again before there is more room. */
void handshake_keep(struct handshake *h, struct span in)
{
	if (h->room - h->n < in.n && h->at > 0) {
		h->n -= h->at;
		memmove(h->in, h->in + h->at, h->n);
		h->at = 0;
	}
	if (h->room - h->n < in.n) {
		h->room = h->n + in.n > 2 * h->room ? h->n + in.n : 2 * h->room;
		h->in = xrealloc(h->in, h->room);
	}
	memcpy(h->in + h->n, in.p, in.n);
	h->n += in.n;
}

void handshake_use(struct handshake *h, size_t n)
{
	h->at += n;
	if (h->at < h->n)
		return;
	free(h->in);
	h->in = NULL;
	h->at = h->n = h->room = 0;
}

void handshake_drop_body(struct handshake *h)
{
	h->clients->held_bytes -= blob_memory(h->body);
	blob_unref(h->body);
	h->body = NULL;
}

/* The buffer grows with what has come, not with what was promised. */
static void grow_body(struct handshake *h, size_t need)
{
	struct clients *clients = h->clients;
	size_t room = h->body ? h->body->n : 0;
	struct blob *b;

	if (need <= room)
		return;
	room = need > 2 * room ? need : 2 * room;
	b = blob_alloc(room < h->body_want ? room : h->body_want);
	if (h->body != NULL)
		memcpy(b->p, h->body->p, h->body_n);
	handshake_drop_body(h);
	h->body = b;
	clients->held_bytes += blob_memory(b);
}

void handshake_add_body(struct handshake *h, struct span in)
{
	grow_body(h, h->body_n + in.n);
	assert(h->body != NULL); /* content_length is over 0 */
	memcpy(h->body->p + h->body_n, in.p, in.n);
	h->body_n += in.n;
}

void handshake_count(struct handshake *h, size_t context)
{
	size_t n = blob_memory(h->request) + context;

	if (h->in != NULL)
		n += mem_chunk(h->room);
	if (h->protocols != NULL)
		n += mem_chunk(strlen(h->protocols) + 1);
	h->clients->held_bytes += n - h->counted;
	h->counted = n;
}
