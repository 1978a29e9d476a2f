#ifndef STORE_DISCONNECT_JSON_H
#define STORE_DISCONNECT_JSON_H

/*
 * A pending disconnect to JSON and back; its id is not in it. edge_reap.lua writes the same form.
 *
 *   {"edge":7,"time":1795343464512,"code":1006,"reason":"…","tries":0,"error":"…","row":{…}}
 */

#include "store/disconnects.h"

#include <jansson.h>

struct redisReply; /* <hiredis/hiredis.h> */

/* Freed with free(3). */
char *disconnect_json_write(const struct disconnect *d);

/*
 * Read JSON into d; its row's id stays as it is.
 *
 * d->row.edge  the edge that it has to be of; 0: any, and it is set
 * keep         gets what d's texts live in; json_decref it when done with them
 * returns      OK; ERR_MALFORMED, and then d is as it was, and keep is NULL
 */
must_use enum err disconnect_json_read(struct span json, struct disconnect *d,
				       json_t **keep);

/*
 * The same for one that was asked for by its id, with a log line for a foreign entry.
 *
 * parked  a dead letter; else a pending disconnect of d->row.edge
 */
must_use enum err disconnect_json_find(struct store *st, struct span json, bool parked,
				       struct disconnect *d, json_t **keep);

/* Many of them, out of a reply that they borrow from. */
struct disconnect_list {
	struct disconnect *all;
	size_t n;
	json_t **keep;
};

/* pairs: id, JSON, id, JSON, …; edge: as above. What cannot be read is there too, as a broken one. */
void disconnect_json_list(const struct redisReply *pairs, uint16_t edge,
			  struct disconnect_list *out);
void disconnect_json_close(struct disconnect_list *list);

#endif
