/* Scan: shard after shard, in the order of stored keys, or a segment of it. */
#include "tables/operations/operations.h"
#include "tables/operations/paging.h"

#include <inttypes.h>

enum { SEGMENTS_MOST = 1000000 };

struct scan {
	struct paging paging;
	int64_t segment, segments; /* segments 0: all of it */
};

static void on_tables(struct job *c);

static enum err read_segments(struct scan *s, struct refusal *no)
{
	struct job *c = s->paging.job;
	const struct fields *f = &c->fields;
	bool has_one, has_total;
	enum err e = fields_number(f, "Segment", &s->segment, &has_one, no);

	if (e == OK)
		e = fields_number(f, "TotalSegments", &s->segments, &has_total, no);
	if (e != OK || (!has_one && !has_total))
		return e;
	if (!has_total)
		return refuse(
			c->arena, no,
			"The TotalSegments parameter is required but was not present "
			"in the request when Segment parameter is present");
	if (!has_one)
		return refuse(
			c->arena, no,
			"The Segment parameter is required but was not present in the "
			"request when parameter TotalSegments is present");
	if (s->segments < 1 || s->segments > SEGMENTS_MOST)
		return fields_outside(f, "TotalSegments",
				      arena_printf(c->arena, "%" PRId64, s->segments),
				      s->segments < 1
					      ? "have value greater than or equal to 1"
					      : "have value less than or equal to "
						"1000000",
				      no);
	if (s->segment < 0)
		return fields_outside(f, "Segment",
				      arena_printf(c->arena, "%" PRId64, s->segment),
				      "have value greater than or equal to 0", no);
	if (s->segment >= s->segments)
		return refuse(c->arena, no,
			      "The Segment parameter is zero-based and must be less than "
			      "parameter TotalSegments: Segment: %" PRId64
			      " is not less than TotalSegments: %" PRId64,
			      s->segment, s->segments);
	return OK;
}

void operation_scan(struct job *c)
{
	struct scan *s = arena_calloc(c->arena, 1, sizeof *s);
	struct refusal no;
	enum err e = paging_read(c, ASKED_PROJECTION | ASKED_FILTER, &s->paging, &no);

	c->state = s;
	if (e == OK)
		e = read_segments(s, &no);
	if (e == OK)
		job_with_tables(c, NULL, on_tables);
	else
		job_refuse(c, &no);
}

/* Where the segment with this number begins: a part of all hashes. Empty: at the beginning, or the end. */
static struct span border(struct arena *a, int64_t segment, int64_t segments)
{
	uint64_t at = ((uint64_t)segment << 32) / (uint64_t)segments;
	uint8_t *p = arena_alloc(a, KEY_HASH);

	if (segment == 0 || segment == segments)
		return (struct span){0};
	for (size_t i = 0; i < KEY_HASH; i++)
		p[i] = (uint8_t)(at >> (24 - 8 * i));
	return span_of(p, KEY_HASH);
}

static void on_tables(struct job *c)
{
	struct scan *s = c->state;
	struct paging *p = &s->paging;
	struct range_conf *r = &p->range_conf;
	struct refusal no;
	enum err e = paging_find_index(p, &no);

	if (e == ERR_AGAIN) {
		job_restart(c);
		return;
	}
	if (e != OK) {
		job_refuse(c, &no);
		return;
	}
	r->first_shard = 0;
	r->last_shard = SHARDS - 1;
	if (s->segments > 0) {
		r->bounds.from = border(c->arena, s->segment, s->segments);
		r->bounds.to = border(c->arena, s->segment + 1, s->segments);
	}
	paging_set_start(p);
	paging_start(p);
}
