#include "fake_channels.h"

#include "broker/channels/delivery/interest_list.h"
#include "fake_commands.h"
#include "fake_store.h"

#include <criterion/criterion.h>
#include <stdio.h>

struct fake_channels fake_channels;

static struct config_namespace namespaces[] = {
	{.name = "default", .limits = {.message = 64}},
	{.name = "room",
	 .history = {.size = 10},
	 .presence = {.members = true},
	 .limits = {.message = 64}},
	{.name = "tick", .limits = {.message = 64}},
};
static const struct config config = {.namespaces = namespaces, .n_namespaces = 3};

static void copy(char out[CHANNELS_TEXT], struct span text)
{
	snprintf(out, CHANNELS_TEXT, "%.*s", SPAN_ARG(text));
}

/* ---- the configuration ---- */

static struct routes *routes(void *arg)
{
	return arg;
}

const struct config *routes_config(const struct routes *r)
{
	(void)r;
	return &config;
}

struct routes *routes_ref(struct routes *r)
{
	fake_channels.refs++;
	return r;
}

void routes_unref(struct routes *r)
{
	(void)r;
	fake_channels.refs -= r != NULL;
}

struct channel_api_uses fake_channels_uses(void)
{
	return (struct channel_api_uses){.store = &fake_store,
					 .commands = &fake_commands,
					 .routes = routes,
					 .arg = &namespaces};
}

/* ---- what is asked for ---- */

void publish(struct publishers *p, const struct publication *q, publish_fn *fn, void *arg)
{
	struct fake_publication *f =
		&fake_channels.publications[fake_channels.n_publications++];

	(void)p;
	cr_assert(fake_channels.n_publications <= CHANNELS_ASKED_MOST);
	*f = (struct fake_publication){.is_binary = q->is_binary,
				       .has_version = q->has_version,
				       .receipt = q->receipt,
				       .version = q->version,
				       .fn = fn,
				       .arg = arg};
	copy(f->channel, q->channel);
	copy(f->data, q->data);
	copy(f->key, q->key);
	copy(f->user, q->user);
	if (q->n_tags > 0)
		snprintf(f->tag, sizeof f->tag, "%.*s=%.*s", SPAN_ARG(q->tags[0].key),
			 SPAN_ARG(q->tags[0].value));
}

void read_channel(struct readers *r, const struct read_request *q, read_fn *fn, void *arg)
{
	struct fake_read *f = &fake_channels.reads[fake_channels.n_reads++];

	(void)r;
	cr_assert(fake_channels.n_reads <= CHANNELS_ASKED_MOST);
	cr_assert_eq(q->limit, 0, "the position alone");
	*f = (struct fake_read){.fn = fn, .arg = arg};
	copy(f->channel, q->channel);
}

void presence_read(struct presence *p, struct span channel, struct span after,
		   int64_t most, presence_page_fn *fn, void *arg)
{
	struct fake_read *f = &fake_channels.counts[fake_channels.n_counts++];

	(void)p;
	cr_assert(fake_channels.n_counts <= CHANNELS_ASKED_MOST);
	cr_assert(most == 0 && after.n == 0, "the counts alone");
	*f = (struct fake_read){.on_counts = fn, .arg = arg};
	copy(f->channel, channel);
}

void client_do(struct clients *c, const struct client_event *e, struct span text,
	       const struct client_todo *todos, size_t n, client_fn *fn, void *arg)
{
	struct fake_action *f = &fake_channels.actions[fake_channels.n_actions++];

	(void)c;
	cr_assert(fake_channels.n_actions <= CHANNELS_ASKED_MOST && n == 1);
	cr_assert(span_eq(text, todos->v.raw));
	*f = (struct fake_action){.verb = todos->verb,
				  .id = e->in->id,
				  .is_trusted = e->is_trusted,
				  .fn = fn,
				  .arg = arg};
	copy(f->json, todos->v.raw);
	copy(f->context, e->in->context);
}

size_t interest_list(const struct interest *in, struct span prefix, struct span after,
		     struct span *out, size_t n)
{
	size_t found = 0;

	(void)in;
	for (const char **name = fake_channels.carried; *name && found < n; name++) {
		char begin[CHANNELS_TEXT], cursor[CHANNELS_TEXT];

		copy(begin, prefix);
		copy(cursor, after);
		if (strncmp(*name, begin, prefix.n) == 0 && strcmp(*name, cursor) > 0)
			out[found++] = span_str(*name);
	}
	return found;
}

void store_channel_clear(struct store *st, struct span channel, store_done_fn *fn,
			 void *arg)
{
	cr_assert_eq(st, &fake_store);
	copy(fake_channels.cleared, channel);
	fake_channels.on_cleared = fn;
	fake_channels.cleared_arg = arg;
}
