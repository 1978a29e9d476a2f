#include "store/json_text.h"

#include "base/base64.h"
#include "base/mem.h"

#include <stdlib.h>

/* Header values may be any bytes: what is not UTF-8 is taken as Latin-1, as HTTP once said. */
static json_t *from_latin1(struct span in)
{
	char *out = xmalloc(2 * in.n);
	size_t n = 0;

	for (size_t i = 0; i < in.n; i++) {
		if (in.p[i] < 0x80) {
			out[n++] = (char)in.p[i];
		} else {
			out[n++] = (char)(0xc0 | in.p[i] >> 6);
			out[n++] = (char)(0x80 | (in.p[i] & 0x3f));
		}
	}

	json_t *text = json_stringn(out, n);

	free(out);
	return text;
}

json_t *json_text_new(struct span in)
{
	json_t *text = json_stringn(in.n == 0 ? "" : (const char *)in.p, in.n);

	return text != NULL ? text : from_latin1(in);
}

void json_text_set(json_t *o, const char *name, struct span in)
{
	if (in.n > 0)
		json_object_set_new(o, name, json_text_new(in));
}

bool json_text_get(const json_t *o, const char *name, struct span *out)
{
	const json_t *text = json_object_get(o, name);

	*out = (struct span){0};
	if (text == NULL)
		return true;
	if (!json_is_string(text))
		return false;
	*out = span_of(json_string_value(text), json_string_length(text));
	return true;
}

void json_text_set_bytes(json_t *o, const char *name, struct span in)
{
	char *text;

	if (in.n == 0)
		return;
	text = xmalloc(base64_length(in.n));
	json_object_set_new(o, name, json_stringn_nocheck(text, base64_encode(in, text)));
	free(text);
}

bool json_text_get_bytes(json_t *o, const char *name, struct span *out)
{
	struct span text;
	uint8_t *bytes;
	enum err e;

	if (!json_text_get(o, name, &text))
		return false;
	if (text.n == 0) {
		*out = (struct span){0};
		return true;
	}
	bytes = xmalloc(text.n);
	e = base64_decode(text, bytes, &text.n);
	if (e == OK) /* unchecked: it is no text any more, but lives where the text did */
		json_object_set_new(o, name, json_stringn_nocheck((char *)bytes, text.n));
	free(bytes);
	return e == OK && json_text_get(o, name, out);
}
