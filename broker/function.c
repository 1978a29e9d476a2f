#include "broker/function.h"

#include <string.h>

static const struct integration *const integrations[] = {
	&integration_builtin,
};

enum err function_find(const char *handler, struct function *out)
{
	for (size_t i = 0; i < sizeof integrations / sizeof *integrations; i++) {
		const struct integration *in = integrations[i];
		size_t n = strlen(in->prefix);

		if (strncmp(handler, in->prefix, n) == 0 && in->knows(handler + n)) {
			*out = (struct function){in, handler + n};
			return OK;
		}
	}
	return ERR_NOTFOUND;
}

void function_invoke(const struct function *f, struct call *c, result_fn *fn)
{
	f->integration->invoke(f, c, fn);
}
