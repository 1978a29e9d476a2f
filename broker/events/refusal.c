#include "broker/events/refusal.h"

#include "base/mem.h"

#include <stdlib.h>

struct refusal *refusal_new(int status, const struct result_header *h, size_t n,
			    struct span body)
{
	struct refusal *f = xmalloc(sizeof *f);

	*f = (struct refusal){
		.status = status,
		.body = blob_new(body),
		.headers = xcalloc(n + 1, sizeof *f->headers),
		.n = n,
	};
	for (size_t i = 0; i < n; i++)
		f->headers[i] =
			(struct result_header){xstrdup(h[i].name), xstrdup(h[i].value)};
	return f;
}

void refusal_free(struct refusal *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->n; i++) {
		free((char *)(uintptr_t)f->headers[i].name);
		free((char *)(uintptr_t)f->headers[i].value);
	}
	free(f->headers);
	blob_unref(f->body);
	free(f);
}
