#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

/*
 * Typed values from a mapping. Each function that finds something else than it wants says
 * so (file, line, key, what is allowed) and returns false.
 */

#include "config/reading.h"

/*
 * The value of a key, its variables resolved.
 *
 * out      key.up points into map, which has to live as long
 * returns  false when there is none (or null), or after an error line
 */
bool value_get(struct reading *r, const struct value *map, const char *name,
	       struct value *out);

/*
 * The same for what others may have written for CloudFormation alone: what cannot be
 * resolved is an info line, and then there is none.
 */
bool value_try(struct reading *r, const struct value *map, const char *name,
	       struct value *out);
bool value_try_at(struct reading *r, const struct value *all, size_t i,
		  struct value *out);

/* The i-th pair of a mapping (true, name in out->key.name; its value may be null) or item of a list. */
bool value_at(struct reading *r, const struct value *all, size_t i, struct value *out);

/* How many pairs or items it has. */
size_t value_count(const struct value *v);

/* Is it of that kind? allowed: for the message. */
bool value_is(struct reading *r, const struct value *v, enum node_kind kind,
	      const char *allowed);
bool value_is_map(struct reading *r, const struct value *v);
bool value_is_list(struct reading *r, const struct value *v);

/* A text that is not empty, into *out (what was there is freed). */
bool value_text(struct reading *r, const struct value *v, char **out);

/* The same, borrowed for as long as the reading. */
const char *value_peek(struct reading *r, const struct value *v);

/* A whole number, least to most; unit for the message: "seconds". */
bool value_int(struct reading *r, const struct value *v, int64_t least, int64_t most,
	       const char *unit, int64_t *out);
bool value_bool(struct reading *r, const struct value *v, bool *out);

/* The name of a CloudFormation function ("!Ref", "Fn::Join"); NULL when v is none such. */
const char *value_intrinsic(const struct value *v);

/*
 * Report every key that is not in names (which ends with a NULL) as ignored
 * (one info line), with the name that was meant if there is a likely one.
 */
void value_pass_over(struct reading *r, const struct value *map,
		     const char *const *names);

/* Say of every key that is not in names that it is not allowed. */
void value_refuse_others(struct reading *r, const struct value *map,
			 const char *const *names);

#endif
