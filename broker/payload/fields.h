#ifndef BROKER_PAYLOAD_FIELDS_H
#define BROKER_PAYLOAD_FIELDS_H

/*
 * Names with values, such as a request's headers or the parameters of a query, where a
 * name may be there several times; and the shapes in which events show them.
 */

#include "json/write.h"

struct field {
	struct span name, value;
	size_t order; /* as it was added: values of one name stay in order */
};

struct fields {
	struct field *list;
	size_t n, room;
	bool headers; /* names that differ in case are one, and bytes may be Latin-1 */
	void *texts;  /* texts that names and values point to; fields_close frees them */
};

/* Names and values are borrowed until fields_close. */
void fields_init(struct fields *f, bool headers);
void fields_close(struct fields *f);

void fields_add(struct fields *f, struct span name, struct span value);

/* Add the parameters of a query, read as a form: "a=1&b=x%20y+z&c". Wrong encoding stays as it is. */
void fields_add_query(struct fields *f, struct span query);

/* In alphabetical order of the names. Once, after all is added and before anything is written. */
void fields_sort(struct fields *f);

/* {"a":"the last value","b":"…"} */
void fields_write_last(const struct fields *f, struct json_out *out);

/* {"a":["each","value"],"b":["…"]} */
void fields_write_each(const struct fields *f, struct json_out *out);

/* {"a":"each,value","b":"…"}; names of headers in lower case. */
void fields_write_joined(const struct fields *f, struct json_out *out);

#endif
