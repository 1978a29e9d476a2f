#include "broker/api/pending.h"

#include "base/mem.h"

#include <stdlib.h>

static void on_gone(void *arg)
{
	((struct pending *)arg)->request = NULL;
}

void *pending_new(struct pendings *all, size_t size, struct http_request *q,
		  void (*close)(struct pending *p))
{
	struct pending *p = xcalloc(1, size);

	p->request = q;
	p->close = close;
	LIST_INSERT_HEAD(all, p, next);
	if (q != NULL)
		http_keep(q, on_gone, p);
	return p;
}

struct http_request *pending_take(struct pending *p)
{
	struct http_request *q = p->request;

	p->request = NULL;
	return q;
}

void pending_free(struct pending *p)
{
	LIST_REMOVE(p, next);
	if (p->close)
		p->close(p);
	free(p);
}

void pendings_free(struct pendings *all)
{
	struct pending *p;

	while ((p = LIST_FIRST(all)) != NULL)
		pending_free(p);
}
