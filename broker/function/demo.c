#include "broker/function/demo.h"

#include "base/mem.h"
#include "broker/function/demo_page.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As a part of a URL, in which nothing is special to HTML either; freed by the caller. */
static char *encode(const char *stage)
{
	char *text = xcalloc(3 * strlen(stage) + 1, 1), *to = text;

	for (; *stage != '\0'; stage++)
		if (isalnum((unsigned char)*stage) || strchr("-_.~", *stage) != NULL)
			*to++ = *stage;
		else
			to += sprintf(to, "%%%02X", (unsigned char)*stage);
	return text;
}

void demo_invoke(const struct invocation *in, result_fn *fn, void *arg)
{
	static const struct result_header headers[] = {
		{"Content-Type", "text/html; charset=utf-8"},
		{"Content-Security-Policy", demo_policy},
		{"X-Content-Type-Options", "nosniff"},
		{"Referrer-Policy", "no-referrer"},
		{"Cache-Control", "no-cache"},
	};
	char *stage = encode(in->setting->stage);
	char *page = xasprintf("%s%s%s", (const char *)demo_before_stage, stage,
			       (const char *)demo_after_stage);

	fn(arg, &(struct result){.kind = RESULT_OK,
				 .status = 200,
				 .has_body = true,
				 .body = span_str(page),
				 .headers = headers,
				 .n_headers = sizeof headers / sizeof *headers});
	free(page);
	free(stage);
}
