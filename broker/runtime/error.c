#include "broker/runtime/error.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "json/read.h"

#include <stdio.h>
#include <stdlib.h>

/* A string member of the body, at most most bytes of it; freed by the caller. NULL: there is none. */
static char *member(struct span body, const char *name, size_t most)
{
	const struct json_step step = {.key = span_str(name)};
	struct json_value v;
	struct span text;
	uint8_t *room;
	char *out;

	if (json_read(body, &(struct json_path){&step, 1}, JSON_OF_FUNCTION, &v, NULL) !=
		    OK ||
	    v.kind != JSON_IS_STRING)
		return NULL;
	room = xmalloc(v.raw.n);
	json_unescape_lenient(v.raw, room, &text);
	if (text.n > most) {
		text.n = most;
		while (text.n > 0 && (text.p[text.n] & 0xc0) == 0x80)
			text.n--;
	}
	out = span_dup(text);
	free(room);
	return out;
}

void runtime_error_text(struct span body, struct span header,
			char out[RUNTIME_ERROR_TEXT])
{
	char *type = member(body, "errorType", RUNTIME_ERROR_TEXT / 4);
	char *message = member(body, "errorMessage", RUNTIME_ERROR_TEXT / 2);
	struct span name = type       ? span_str(type)
			   : header.n ? header
				      : span_str("an error without a type");

	if (name.n > RUNTIME_ERROR_TEXT / 4)
		name.n = RUNTIME_ERROR_TEXT / 4;
	snprintf(out, RUNTIME_ERROR_TEXT, "%.*s: %s", SPAN_ARG(name),
		 message ? message : "(no message)");
	free(type);
	free(message);
}

bool runtime_error_is(struct span body, const char *message)
{
	char *text = member(body, "errorMessage", strlen(message) + 1);
	bool same = text != NULL && strcmp(text, message) == 0;

	free(text);
	return same;
}
