#include "broker/channels/occupancy/occupancy_event.h"

#include "base/log.h"
#include "base/mem.h"
#include "config/channels.h"

#include <assert.h>
#include <event2/util.h>
#include <stdlib.h>

struct occupancy_event {
	struct routes *routes;
	const struct function *function;
	struct invocation in;
	struct event_route route;
	struct channel_event channel;
	struct occupancy is;
	occupancy_event_fn *fn;
	void *arg;
	uint8_t name[];
};

unsigned occupancy_event_on(const struct config_namespace *ns)
{
	if (ns == NULL || ns->hook == CONFIG_NONE)
		return 0;
	return ns->hook_on & (CHANNEL_ON_OCCUPIED | CHANNEL_ON_VACATED);
}

/* No edge has the number 0, so it is no connection's. */
void occupancy_event_name(char out[OCCUPANCY_EVENT + 1])
{
	uint64_t random[2];
	struct id id;

	static_assert(OCCUPANCY_EVENT + 1 == ID_TEXT, "an id is the event's name");
	evutil_secure_rng_get_bytes(random, sizeof random);
	id = id_make(0, (uint32_t)random[0], random[1]);
	id_text(&id, out);
}

struct occupancy_event *occupancy_event_new(struct routes *routes, struct span channel,
					    const struct occupancy *is)
{
	const struct config_namespace *ns =
		config_namespace(routes_config(routes), channel);
	const char *action = is->is_occupied ? "occupied" : "vacated";
	struct occupancy_event *e;
	struct id id;

	if (!(occupancy_event_on(ns) &
	      (is->is_occupied ? CHANNEL_ON_OCCUPIED : CHANNEL_ON_VACATED)) ||
	    id_parse(span_str(is->event), &id) != OK)
		return NULL;
	e = xcalloc(1, sizeof *e + channel.n);
	memcpy(e->name, channel.p, channel.n);
	e->routes = routes_ref(routes);
	e->function = routes_function(routes, (size_t)ns->hook);
	e->is = *is;
	e->channel = (struct channel_event){
		.name = span_of(e->name, channel.n),
		.name_space = ns->name,
		.action = action,
		.is_of_cluster = true,
		.epoch = span_str(e->is.epoch),
		.offset = is->offset,
	};
	e->route = (struct event_route){.key = action,
					.function = e->function->config->name};
	e->in = (struct invocation){
		.setting = routes_setting(routes),
		.route = &e->route,
		.id = id,
		.kind = GATEPOST__EVENT__KIND__MESSAGE,
		.time_ms = is->time_ms,
		.channel = &e->channel,
	};
	return e;
}

void occupancy_event_free(struct occupancy_event *e)
{
	if (e == NULL)
		return;
	routes_unref(e->routes);
	free(e);
}

static void on_result(void *arg, const struct result *r)
{
	struct occupancy_event *e = arg;

	if (r->kind != RESULT_OK)
		log_warn_flood("function.failed", S("route", e->route.key),
			       S("function", e->route.function), S("why", r->why),
			       I("tries", e->is.tries + 1));
	e->fn(e->arg, r->kind == RESULT_OK ? NULL : r->why);
}

void occupancy_event_invoke(struct occupancy_event *e, occupancy_event_fn *fn, void *arg)
{
	e->fn = fn;
	e->arg = arg;
	function_invoke(e->function, &e->in, EVENT_PROXY, on_result, e);
}
