#ifndef TABLES_ITEMS_H
#define TABLES_ITEMS_H

/*
 * Items: read one, write some, all or none of them.
 *
 * An item in Redis is a blob: its version (8 bytes, random), its expiry (4 bytes, seconds since 1970, 0: none), its
 * size as DynamoDB counts it (4 bytes), and its canonical JSON (value_json.h). Numbers with the greatest byte first.
 *
 * An acknowledged write is whole: one script writes the item, its place in the order, its expiry and
 * its entries in the indexes. So a crash of the broker leaves behind all of it or nothing; whether it was
 * done is not known to a client that got no answer. A lock that is left behind expires.
 */

#include "base/blob.h"
#include "tables/store/place.h"
#include "tables/store/store.h"

enum {
	ITEM_HEAD = 16, /* bytes before the JSON */
	ITEM_LOCK_MS = 1000,
};

struct item {
	bool is_there;
	uint64_t version;
	int64_t expiry; /* seconds since 1970; 0: none */
	size_t size;
	struct span json; /* borrowed */
};

/*
 * What is written to Redis for an item; free with blob_unref.
 *
 * size     of the item, by item_size
 */
struct blob *item_blob(struct tables_store *st, const struct value_map *item, size_t size,
		       int64_t expiry);

/* Back. False: it is damaged. */
bool item_read(struct span blob, struct item *out);

/*
 * When an item expires by the TTL attribute of its table, in seconds since 1970; 0: never. A time that is more than
 * five years past never expires (Developer Guide, "Time to Live").
 */
int64_t item_expiry(const struct table *t, const struct value_map *item);

/* Is it to be seen? False also for an item that is not there. */
bool item_is_visible(const struct table *t, const struct item *item);

/* Is it the generation of t, or an older one, of a change that is not everywhere yet? Empty: the table is deleted. */
bool item_generation_is_known(const struct table *t, struct span generation);

/*
 * item     OK: is_there tells whether there is one
 * e        ERR_AGAIN: the table has changed, or is deleted; look it up again (catalog.h)
 */
typedef void items_get_fn(void *arg, enum err e, const struct item *item);
void items_get(struct tables_store *st, struct arena *a, const struct item_place *place,
	       items_get_fn *fn, void *arg);

/* The same for n items at one moment. ERR_DENIED: they are of several shards, and Redis is a node of a cluster. */
typedef void items_read_fn(void *arg, enum err e, const struct item *items, size_t n);
void items_read(struct tables_store *st, struct arena *a, const struct item_place *places,
		size_t n, items_read_fn *fn, void *arg);

enum item_write_kind { ITEM_CHECK, ITEM_PUT, ITEM_DELETE };

struct item_change {
	const struct table_index *index;
	bool is_added;
	struct span entry;
};

struct item_write {
	struct item_place place;
	enum item_write_kind kind;
	struct item
		old; /* as it was read: it must not have changed; version and is_there count */
	struct span blob;                  /* ITEM_PUT: of item_blob */
	int64_t expiry;                    /* ITEM_PUT */
	const struct item_change *changes; /* of indexes */
	size_t n_changes;
};

/* All writes of a call. */
struct items_write {
	const struct item_write *parts;
	size_t n;
	const char *owner; /* of a lock; NULL: none */
	const char
		*token; /* ClientRequestToken, and the hash of its request; NULL: none */
	struct span request;
};

enum items_outcome {
	ITEMS_WRITTEN,
	ITEMS_CHANGED, /* one is not as it was: read it again */
	ITEMS_LOCKED,  /* another write has the lock of one of them: later */
	ITEMS_STALE,   /* a table has changed, or is deleted: look it up again */
	ITEMS_DONE,  /* the token has been used for this request: it is written already */
	ITEMS_OTHER, /* for another request */
	ITEMS_FAILED, /* the code says why */
};

/*
 * e        with ITEMS_FAILED: ERR_DOWN, ERR_BUSY, ERR_MALFORMED, and ERR_DENIED as of items_read, also
 *          with a token; else OK
 * part     with ITEMS_CHANGED: which one, and
 * now      what it is now
 */
typedef void items_write_fn(void *arg, enum items_outcome outcome, enum err e,
			    size_t part, const struct item *now);
void items_write(struct tables_store *st, struct arena *a, const struct items_write *w,
		 items_write_fn *fn, void *arg);

/*
 * Put or delete an item of a table without indexes, whatever was there: cheaper. Outcomes: ITEMS_WRITTEN, _LOCKED, _STALE, _FAILED.
 *
 * blob     of ITEM_PUT; ignored by the other
 */
void items_put(struct tables_store *st, struct arena *a, const struct item_place *place,
	       struct span blob, int64_t expiry, items_write_fn *fn, void *arg);
void items_delete(struct tables_store *st, struct arena *a,
		  const struct item_place *place, items_write_fn *fn, void *arg);

/* OK; ERR_CLAIMED: another write has it. owner: a text that nobody else has. */
typedef void items_lock_fn(void *arg, enum err e);
void items_lock(struct tables_store *st, struct arena *a, const struct item_place *place,
		const char *owner, items_lock_fn *fn, void *arg);

/* Without waiting for it; what cannot be released expires. */
void items_unlock(struct tables_store *st, struct arena *a,
		  const struct item_place *place);

/* Has this token been used? OK: known has the hash of its request, empty: no. */
typedef void items_token_fn(void *arg, enum err e, struct span known);
void items_token(struct tables_store *st, struct arena *a, const char *token,
		 items_token_fn *fn, void *arg);

#endif
