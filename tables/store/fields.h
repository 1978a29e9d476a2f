#ifndef TABLES_FIELDS_H
#define TABLES_FIELDS_H

/*
 * The members of a JSON object in a request, with DynamoDB's errors for those that are
 * absent or of the wrong JSON type. Members that nobody asks for are ignored; null
 * counts as absent; of two members of one name the last one counts. The text has been
 * read by json_read, so it is well-formed.
 *
 * Each function: no is filled unless OK, and the code is then ERR_MALFORMED.
 */

#include "json/read.h"
#include "tables/value/value.h"

enum { FIELDS_MOST = 64 };

struct fields {
	struct arena *arena;
	size_t n;
	struct field {
		struct span name;
		struct json_value value;
	} all[FIELDS_MOST];
};

/* v is an object. Members behind the first FIELDS_MOST are refused, so that looking one up stays cheap. */
must_use enum err fields_read(struct arena *a, const struct json_value *v,
			      struct fields *out, struct refusal *no);

/* NULL: absent, or null */
const struct json_value *fields_find(const struct fields *f, const char *name);

/* "1 validation error detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null" */
enum err fields_missing(const struct fields *f, const char *name, struct refusal *no);

/* A value that is outside its bounds: "… Value '0' at 'limit' failed to satisfy constraint: Member must …" */
enum err fields_outside(const struct fields *f, const char *name, const char *value,
			const char *must, struct refusal *no);

/* A string; out has p NULL when it is absent. */
must_use enum err fields_text(const struct fields *f, const char *name, struct span *out,
			      struct refusal *no);

/* The same, and absent is an error. */
must_use enum err fields_need_text(const struct fields *f, const char *name,
				   struct span *out, struct refusal *no);

/* true or false; absent: out stays. */
must_use enum err fields_truth(const struct fields *f, const char *name, bool *out,
			       struct refusal *no);

/* A whole number; absent: out stays, and *is_there is false. is_there may be NULL. */
must_use enum err fields_number(const struct fields *f, const char *name, int64_t *out,
				bool *is_there, struct refusal *no);

/* An array, or an object; NULL in *out: absent. */
must_use enum err fields_array(const struct fields *f, const char *name,
			       const struct json_value **out, struct refusal *no);
must_use enum err fields_object(const struct fields *f, const char *name,
				const struct json_value **out, struct refusal *no);

/*
 * One of these words. words ends with NULL.
 *
 * out      the index in words; stays when it is absent
 */
must_use enum err fields_word(const struct fields *f, const char *name,
			      const char *const *words, int *out, struct refusal *no);

/* The characters of a JSON string, in a or in raw; a SerializationException when they are not text. */
must_use enum err fields_unescape(struct arena *a, struct span raw, struct span *out,
				  struct refusal *no);

/* Fill in a SerializationException; returns ERR_MALFORMED. */
enum err fields_refuse_type(struct arena *a, struct refusal *out, const char *name,
			    const char *expected);

#endif
