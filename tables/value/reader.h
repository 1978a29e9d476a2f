#ifndef TABLES_READER_H
#define TABLES_READER_H

/*
 * Inside of value_read: where in the text it is, what it may still read, and what it has
 * read. All functions that give an err fill in rd->no unless it is OK.
 *
 *   value_read.c   values, lists, maps
 *   set.c          sets
 *   scalar.c       S, N, B, BOOL, NULL
 */

#include "json/cursor.h"
#include "tables/value/value.h"

enum {
	READER_SCRATCH = 64, /* members that are read without asking for memory */
	READER_ECHO = 256,   /* bytes of a request that a refusal repeats */
};

/* Members and elements wait on the stack until all of their map, list or set are there. */
struct reader {
	struct json_cursor c;
	struct arena *a;
	struct refusal *no;
	size_t left; /* bytes, by value_size, that may still come */
	struct value_member *stack;
	size_t n, room;
	struct value_member scratch[READER_SCRATCH];
};

/* text: of one JSON value, which json_read has found well-formed; it may have left bytes by value_size. */
void reader_init(struct reader *rd, struct arena *a, struct span text, size_t left,
		 struct refusal *no);
void reader_close(struct reader *rd);

/* Refuse with a SerializationException. message is kept; returns ERR_MALFORMED. */
enum err reader_serialization(struct reader *rd, const char *message);

/* The same: a value of this kind stands where one of class (DynamoDB's name) should. */
enum err reader_misfit(struct reader *rd, enum json_kind kind, const char *class);

/* n bytes, by value_size, less may still come. */
must_use enum err reader_charge(struct reader *rd, size_t n);

/* One more on the stack, not filled in; good until the next one. */
struct value_member *reader_push(struct reader *rd);

/* Past the bracket of the array that must come. */
must_use enum err reader_enter_list(struct reader *rd);

/* ---- scalar.c ---- */

must_use enum err scalar_unescape(struct reader *rd, struct span raw, struct span *out);

/* An S, N or B, of which out->type says which; not charged. */
must_use enum err scalar_read(struct reader *rd, struct value *out);

/* A BOOL or NULL, of which out->type says which. */
must_use enum err scalar_read_truth(struct reader *rd, struct value *out);

/* ---- set.c ---- */

/* An SS, NS or BS, of which out->type says which; charged. */
must_use enum err set_read(struct reader *rd, struct value *out);

#endif
