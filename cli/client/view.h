#ifndef CLI_CLIENT_VIEW_H
#define CLI_CLIENT_VIEW_H

/* JSON that is printed as it was written: numbers of any size, and members in their order. */

#include "json/read.h"

/* text as an object; false when it is none. v points into it. */
bool view_open(struct span text, struct json_value *v);

/* A member of an object; JSON_IS_MISSING when there is none. */
struct json_value view_member(const struct json_value *object, const char *name);

/* The member's characters, freed with free(3); "" when it is no string. */
char *view_text(const struct json_value *object, const char *name);

/* The member as a whole number; 0 when it is none. */
int64_t view_number(const struct json_value *object, const char *name);

bool view_is_true(const struct json_value *object, const char *name);
bool view_is_false(const struct json_value *object, const char *name);

/* Print a value; a string without its quotes. Control characters reach the terminal as '?'. */
void view_print(const struct json_value *v);

/* Print a value as it was written, and end the line. */
void view_print_line(const struct json_value *v);

#endif
