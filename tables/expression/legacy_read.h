#ifndef TABLES_LEGACY_READ_H
#define TABLES_LEGACY_READ_H

/* The JSON of the parameters from before expressions: names, strings and values out of objects. */

#include "tables/expression/legacy.h"
#include "tables/expression/tree.h"

struct legacy {
	struct arena *a;
	struct refusal *no;
};

/* A SerializationException; message lives for ever. Returns ERR_MALFORMED. */
enum err legacy_serialization(struct legacy *l, const char *message);

/* "One or more parameter values were invalid: …" */
enum err legacy_refuse(struct legacy *l, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* A SerializationException unless v is of this kind. */
must_use enum err legacy_expect(struct legacy *l, const struct json_value *v,
				enum json_kind kind);

/* The member of an object; JSON_IS_MISSING when it is absent or null. */
struct json_value legacy_member(const struct json_value *object, const char *name);

/* The text of a string, raw with its quotes: the name of a member, or an element. */
must_use enum err legacy_text(struct legacy *l, struct span raw, struct span *out);

/* The same for a member that may be absent: out is empty then. */
must_use enum err legacy_text_member(struct legacy *l, const struct json_value *object,
				     const char *name, struct span *out);

/* The name of an attribute, as a path of one step. */
must_use enum err legacy_path(struct legacy *l, struct span raw, struct path *out);

/* An attribute value. */
must_use enum err legacy_value(struct legacy *l, const struct json_value *v,
			       const struct value **out);

#endif
