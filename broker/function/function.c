#include "broker/function/function.h"

#include "base/log.h"
#include "broker/payload/event.h"
#include "broker/function/route.h"

static const struct integration *const integrations[] = {
	[CONFIG_LAMBDA] = &integration_lambda,
	[CONFIG_HTTP] = &integration_http,
	[CONFIG_BUILTIN] = &integration_builtin,
};

enum err function_open(struct broker *b, const struct config_function *config,
		       struct function *f)
{
	*f = (struct function){.config = config,
			       .integration = integrations[config->sort]};
	f->state = f->integration->open(b, f);
	if (f->state == NULL) {
		log_error("function.failed", S("function", config->name),
			  S("handler", config->handler));
		return ERR_NOTFOUND;
	}
	return OK;
}

void function_close(struct function *f)
{
	if (f->state != NULL)
		f->integration->close(f->state);
	f->state = NULL;
}

/* Before it may end this process too: the edge does not know its route. */
static void tell_accused(const struct function *f, const struct call *c)
{
	const char *route = c->http != NULL    ? c->http->key
			    : c->route != NULL ? c->route->config->key
					       : "";
	char text[ID_TEXT];

	log_warn_flood("event.suspect", S("route", route), S("function", f->config->name),
		       S("id", id_text(&c->id, text)), I("seq", c->seq),
		       S("why", "links to edges failed while it was handled"));
}

void function_invoke(const struct function *f, struct call *c, enum event_form form,
		     result_fn *fn)
{
	if (c->is_accused)
		tell_accused(f, c);
	f->integration->invoke(f, c, form, fn);
}

struct blob *function_event(const struct call *c, enum event_form form)
{
	const struct broker_conf *conf = &c->broker->conf;
	const struct config *config = routes_config(c->routes);
	struct event_setting s = {
		.stage = config->stage,
		.api_id = conf->api_id,
		.account = conf->account_id,
		.region = config->region,
		.context = config->context,
	};

	if (c->http != NULL) {
		s.route_key = c->http->key;
		s.resource = c->http->config->path;
		s.path = c->http_path;
		s.is_v2 = c->http->config->is_v2;
	} else {
		s.route_key = c->route != NULL ? c->route->config->key : "$default";
	}
	return event_json(c, form, &s);
}
