#include "config/events.h"

#include "config/channel_event.h"
#include "config/http_event.h"
#include "config/websocket_event.h"

#include <string.h>

static const struct {
	const char *name;
	void (*read)(struct reading *r, size_t function, const struct value *v);
} sorts[] = {
	{"websocket", websocket_event_read},
	{"http", http_event_read},
	{"httpApi", http_event_read_v2},
	{"channel", channel_event_read},
};

enum { SORTS = sizeof sorts / sizeof *sorts };

static void read_one(struct reading *r, size_t function, const struct value *item);

void events_read(struct reading *r, size_t function)
{
	const struct value *v = &r->drafts[function].value;
	struct value list, item;

	if (!value_get(r, v, "events", &list) || !value_is_list(r, &list))
		return;
	for (size_t i = 0; i < value_count(&list); i++)
		if (value_at(r, &list, i, &item))
			read_one(r, function, &item);
}

static void say_indentation(struct reading *r, const struct value *item)
{
	const struct node *node = item->node;

	reading_error(r, node->at, &item->key,
		      "%zu keys in one event%s; allowed: one, such as websocket",
		      node->n / 2,
		      node_is_null(node->items[1])
			      ? " (indent what belongs to the first one further)"
			      : "");
}

static void read_one(struct reading *r, size_t function, const struct value *item)
{
	size_t before = r->errors;
	struct value v;

	if (item->node->kind == NODE_TEXT && !node_is_null(item->node)) {
		reading_info(r, item->node->at, &item->key, "ignored: %s",
			     item->node->text);
		return;
	}
	if (!value_is(r, item, NODE_MAP, "a mapping, such as websocket: $connect"))
		return;
	if (value_count(item) != 1) {
		say_indentation(r, item);
		return;
	}
	const char *name = item->node->items[0]->text;
	for (size_t i = 0; i < SORTS; i++) {
		if (strcmp(name, sorts[i].name) != 0)
			continue;
		if (value_at(r, item, 0, &v))
			sorts[i].read(r, function, &v);
		if (r->errors > before) /* its other mistakes are worth a line, too */
			r->drafts[function].used = true;
		return;
	}
	reading_info(r, item->node->at, &item->key, "ignored: %s", name);
}
