#include "broker/events/chosen.h"

#include "base/mem.h"
#include "json/walk.h"

#include <stdlib.h>

static size_t size_of(const struct chosen_list *lists, size_t n)
{
	size_t all = 0;

	for (size_t i = 0; i < n; i++)
		all += lists[i].json.n;
	return all;
}

static struct blob *copy_of(const struct chosen_list *lists, size_t n)
{
	struct blob *b = blob_alloc(size_of(lists, n));
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		if (lists[i].json.n > 0)
			memcpy(b->p + at, lists[i].json.p, lists[i].json.n);
		at += lists[i].json.n;
	}
	return b;
}

static const char *add(struct chosen *c, enum channel_verb verb, struct span json)
{
	static const struct json_path whole = {NULL, 0};
	struct json_value all, v;
	struct json_walk w;
	struct span name;

	if (json_read(json, &whole, JSON_OF_FUNCTION, &all, NULL) != OK ||
	    all.kind != JSON_IS_ARRAY)
		return "what is chosen of channels is not a list";
	w = json_walk(&all);
	while (json_walk_next(&w, &name, &v)) {
		if (c->n == ACTIONS_MOST)
			return "more than 100 channels or messages are chosen";
		c->todos[c->n++] = (struct client_todo){verb, v};
	}
	return NULL;
}

struct chosen *chosen_new(const struct chosen_list *lists, size_t n, const char **why)
{
	struct chosen *c;
	size_t at = 0;

	*why = NULL;
	if (size_of(lists, n) == 0)
		return NULL;
	c = xcalloc(1, sizeof *c);
	c->text = copy_of(lists, n);
	for (size_t i = 0; i < n && *why == NULL; i++) {
		if (lists[i].json.n > 0)
			*why = add(c, lists[i].verb,
				   span_of(c->text->p + at, lists[i].json.n));
		at += lists[i].json.n;
	}
	if (*why == NULL && c->n > 0)
		return c;
	chosen_free(c);
	return NULL;
}

void chosen_free(struct chosen *c)
{
	if (c == NULL)
		return;
	blob_unref(c->text);
	free(c);
}

void chosen_do(const struct chosen *c, struct clients *clients,
	       const struct client_event *e, client_fn *fn, void *arg)
{
	struct client_event trusted = *e;

	trusted.is_trusted = true;
	client_do(clients, &trusted, blob_span(c->text), c->todos, c->n, fn, arg);
}
