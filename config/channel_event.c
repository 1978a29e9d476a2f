#include "config/channel_event.h"

#include "config/namespaces.h"
#include "config/nearest.h"

#include <string.h>

#define ALLOWED "subscribe, unsubscribe, publish, occupied, vacated"

static unsigned read_on(struct reading *r, const struct value *v);

void channel_event_read(struct reading *r, size_t function, const struct value *v)
{
	static const char *const names[] = {"namespace", "on", NULL};
	struct config_namespace *ns = NULL;
	struct value key;
	unsigned on;

	if (!value_is(r, v, NODE_MAP, "a mapping with namespace and on"))
		return;
	value_refuse_others(r, v, names);
	if (value_get(r, v, "namespace", &key))
		ns = namespaces_find(r, &key);
	else
		reading_error(r, v->node->at, &v->key,
			      "namespace is missing; allowed: one of gatepost.channels");
	on = read_on(r, v);
	if (ns == NULL)
		return;
	if (ns->hook != CONFIG_NONE)
		reading_error(r, v->node->at, &v->key,
			      "%s has an event of the namespace %s; allowed: one for "
			      "each namespace, with all of its names in `on`",
			      r->drafts[ns->hook].value.key.name, ns->name);
	ns->hook = (int)function;
	ns->hook_on = on;
}

/* A bit of enum channel_on; 0 after an error line. */
static unsigned read_name(struct reading *r, const struct value *v)
{
	static const char *const names[] = {"subscribe", "unsubscribe", "publish",
					    "occupied",  "vacated",     NULL};
	const char *text = value_peek(r, v), *meant;

	if (text == NULL)
		return 0;
	for (unsigned i = 0; names[i]; i++)
		if (strcmp(text, names[i]) == 0)
			return 1u << i;
	meant = nearest_name(text, names);
	reading_error(r, v->node->at, &v->key, "\"%s\"%s%s%s; allowed: " ALLOWED, text,
		      meant ? " (did you mean " : "", meant ? meant : "",
		      meant ? "?)" : "");
	return 0;
}

static unsigned read_on(struct reading *r, const struct value *v)
{
	struct value list, item;
	unsigned on = 0;

	if (!value_get(r, v, "on", &list) ||
	    (list.node->kind == NODE_LIST && value_count(&list) == 0)) {
		reading_error(r, v->node->at, &v->key,
			      "on is missing; allowed: a list of " ALLOWED);
		return 0;
	}
	if (!value_is(r, &list, NODE_LIST, "a list of " ALLOWED))
		return 0;
	for (size_t i = 0; i < value_count(&list); i++)
		if (value_at(r, &list, i, &item))
			on |= read_name(r, &item);
	return on;
}
