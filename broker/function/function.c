#include "broker/function/function.h"

#include "base/log.h"

enum err function_open(const struct integration *all,
		       const struct config_function *config, struct function *f)
{
	*f = (struct function){.config = config, .integration = &all[config->sort]};
	f->state = f->integration->open(f->integration->arg, config);
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

/* Logged before it may end this process too: the edge does not know its route. */
static void log_accused(const struct function *f, const struct invocation *in)
{
	char text[ID_TEXT];

	log_warn_flood("event.suspect", S("route", in->route->key),
		       S("function", f->config->name), S("id", id_text(&in->id, text)),
		       I("seq", in->seq),
		       S("why", "links to edges failed while it was handled"));
}

void function_invoke(const struct function *f, const struct invocation *in,
		     enum event_form form, result_fn *fn, void *arg)
{
	if (in->is_suspect)
		log_accused(f, in);
	f->integration->invoke(f->state, f->config, in, form, fn, arg);
}
