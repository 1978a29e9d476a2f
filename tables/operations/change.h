#ifndef TABLES_CHANGE_H
#define TABLES_CHANGE_H

/*
 * What one write does to one item: read from a request, judged against the item that is stored, and
 * turned into what is written. Pure but for the blob; the same for single writes, batches and
 * transactions.
 *
 *   change_read → change_place → change_apply, again whenever the item has changed
 */

#include "tables/operations/asked.h"
#include "tables/operations/job.h"

enum change_kind { CHANGE_PUT, CHANGE_UPDATE, CHANGE_DELETE, CHANGE_CHECK };

/* In the order of the words of ReturnValues. */
enum change_returns {
	RETURN_NONE,
	RETURN_ALL_OLD,
	RETURN_UPDATED_OLD,
	RETURN_ALL_NEW,
	RETURN_UPDATED_NEW,
};

enum change_outcome {
	CHANGE_WRITES,  /* change.write is to be written */
	CHANGE_NOTHING, /* there is nothing to write */
	CHANGE_FAILED,  /* the condition is false */
	CHANGE_REFUSED, /* no says why: it depends on the stored item */
};

struct change {
	enum change_kind kind;
	enum change_returns returns;
	bool returns_on_failure; /* ReturnValuesOnConditionCheckFailure: ALL_OLD */
	struct asked asked;
	struct value_map given; /* Item, or Key */
	size_t use;             /* of c->used */
	const struct table *table;
	struct item_place place;

	/* of the last change_apply */
	const struct value_map *old; /* as conditions see it; NULL: there is none */
	struct value_map old_item, new_item;
	size_t old_size, new_size;
	size_t index_sizes
		[TABLE_INDEXES_MOST]; /* of the larger of old and new item, where an entry is touched; else 0 */
	struct blob *blob;
	struct item_write write;
};

/*
 * Its members, as far as they do not need the table: TableName, Item or Key, expressions.
 *
 * kinds    of asked.h: ASKED_NEW_ONLY or 0
 */
must_use enum err change_read(struct job *c, const struct fields *f,
			      enum change_kind kind, unsigned kinds, struct change *out,
			      struct refusal *no);

/* Where its item is, in the table that is known now: keys of the wrong type are refused. */
must_use enum err change_place(struct job *c, struct change *ch, struct refusal *no);

/* Those that need to know the old item; others are items_put and items_delete. */
bool change_needs_item(const struct change *ch);

/*
 * stored   what Redis has; its JSON stands as long as the arena
 * no       filled with CHANGE_REFUSED
 */
enum change_outcome change_apply(struct job *c, struct change *ch,
				 const struct item *stored, struct refusal *no);

/* Make ch->blob of the new item; for change_apply, and for puts that need no old one. */
void change_make_blob(struct job *c, struct change *ch);

/* The blob has been sent, or is not needed. */
void change_drop_blob(struct change *ch);

/* What ReturnValues asks for. False: Attributes is absent from the answer. */
bool change_returned(struct job *c, const struct change *ch, struct value_map *out);

#endif
