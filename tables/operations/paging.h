#ifndef TABLES_PAGING_H
#define TABLES_PAGING_H

/*
 * What Query and Scan have in common: read items up to Limit or 1 MB of stored size, then filter, then
 * project; and the key to go on from.
 *
 *   paging_read → job_with_tables → paging_find_index → the operation's range → paging_start → an answer
 */

#include "tables/operations/asked.h"
#include "tables/operations/capacity.h"
#include "tables/store/range.h"

enum { PAGING_BYTES = 1 << 20 };

/* In the order of the words of Select, and absent. */
enum paging_select {
	SELECT_ALL_ATTRIBUTES,
	SELECT_ALL_PROJECTED,
	SELECT_SPECIFIC,
	SELECT_COUNT,
	SELECT_ABSENT,
};

struct paging {
	struct job *job;
	struct asked asked;
	struct capacity capacity;
	bool is_consistent;
	enum paging_select select;
	int64_t limit; /* 0: none */
	struct span index_name;
	const struct json_value *start_json; /* ExclusiveStartKey; NULL: absent */
	struct value_map start;
	size_t use;

	const struct table *table;
	const struct table_index *index;

	struct range_conf range_conf; /* the operation fills in bounds and shards */
	struct range *range;
	size_t count, scanned, bytes;
	struct range_row last; /* item.is_there: the one that was read last */
};

/* The members that both have. kinds: of asked.h. Lives in the arena of c. */
must_use enum err paging_read(struct job *c, unsigned kinds, struct paging *out,
			      struct refusal *no);

/*
 * The tables are known: the index, what may be selected of it, whether the start key fits.
 *
 * returns  OK; ERR_AGAIN: look the table up again, the index may be new; ERR_MALFORMED: refuse
 */
must_use enum err paging_find_index(struct paging *p, struct refusal *no);

/* Where the start key stands in the order: for range_conf.behind. Sets behind_shard too. */
void paging_set_start(struct paging *p);

/* Read range_conf, and answer. */
void paging_start(struct paging *p);

/* The keys of the table or of the index. */
const struct key_schema *paging_keys(const struct paging *p);

/* Only those attributes that an index has; item itself when it has all. */
struct value_map paging_projected(struct arena *a, const struct table *t,
				  const struct table_index *x,
				  const struct value_map *item);

#endif
