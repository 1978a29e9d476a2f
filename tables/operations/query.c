/* Query: one partition, of the table or of an index, in the order of its sort key. */
#include "tables/operations/operations.h"
#include "tables/operations/paging.h"

struct query {
	struct paging paging;
	bool is_backward;
};

static void on_tables(struct job *c);

void operation_query(struct job *c)
{
	struct query *q = arena_calloc(c->arena, 1, sizeof *q);
	bool is_forward = true;
	struct refusal no;
	enum err e = paging_read(c, ASKED_PROJECTION | ASKED_FILTER | ASKED_KEY,
				 &q->paging, &no);

	c->state = q;
	if (e == OK)
		e = fields_truth(&c->fields, "ScanIndexForward", &is_forward, &no);
	if (e == OK && q->paging.asked.key == NULL && q->paging.asked.legacy_key == NULL)
		e = refuse(c->arena, &no,
			   "Either the KeyConditions or KeyConditionExpression parameter "
			   "must be specified in the request.");
	q->is_backward = !is_forward;
	if (e == OK)
		job_with_tables(c, NULL, on_tables);
	else
		job_refuse(c, &no);
}

static enum err read_condition(struct query *q, struct key_condition *out,
			       struct refusal *no)
{
	struct paging *p = &q->paging;
	struct arena *a = p->job->arena;
	const struct key_schema *k = paging_keys(p);
	const struct key_names names = {k->partition, k->partition_type, k->sort,
					k->sort_type};

	if (p->asked.key != NULL)
		return key_condition_bind(a, p->asked.key, &names, out, no);
	return legacy_key_conditions(a, p->asked.legacy_key, &names, out, no);
}

static enum err check_filter(const struct query *q, struct refusal *no)
{
	const struct paging *p = &q->paging;
	const struct key_schema *k = paging_keys(p);
	const struct span names[] = {k->partition, k->sort};

	for (size_t i = 0; p->asked.filter != NULL && i < 2; i++)
		if (names[i].n > 0 && condition_names(p->asked.filter, names[i]))
			return refuse(
				p->job->arena, no,
				"Filter Expression can only contain non-primary key "
				"attributes: Primary key attribute: %.*s",
				SPAN_ARG(names[i]));
	return OK;
}

/* prefix and a value of the sort key. is_whole: the value ends there (begins_with: it does not). */
static struct span with_sort(struct arena *a, const struct value *partition,
			     const struct value *v, bool is_whole)
{
	struct key k = place_prefix(a, partition);

	if (is_whole)
		key_append(a, &k, v);
	else
		key_append_prefix(a, &k, v);
	return span_of(k.p, k.n);
}

static struct range_bounds bounds_of(struct arena *a, const struct key_condition *k)
{
	struct key prefix = place_prefix(a, k->partition);
	struct span all = span_of(prefix.p, prefix.n), low, high;
	struct range_bounds b = {.from = all, .to = range_behind(a, all)};

	if (k->test == SORT_ANY)
		return b;
	low = with_sort(a, k->partition, k->low, k->test != SORT_BEGINS);
	switch (k->test) {
	case SORT_LESS: b.to = low; break;
	case SORT_LESS_EQUAL: b.to = range_behind(a, low); break;
	case SORT_GREATER: b.from = range_behind(a, low); break;
	case SORT_GREATER_EQUAL: b.from = low; break;
	case SORT_BETWEEN:
		high = with_sort(a, k->partition, k->high, true);
		b.from = low;
		b.to = range_behind(a, high);
		break;
	case SORT_ANY:
	case SORT_EQUAL:
	case SORT_BEGINS:
		b.from = low;
		b.to = range_behind(a, low);
		break;
	}
	return b;
}

/* The start key is one that this query could have given. */
static enum err check_start(struct query *q, const struct key_condition *k,
			    struct refusal *no)
{
	struct paging *p = &q->paging;
	const struct range_bounds *b = &p->range_conf.bounds;
	struct span behind = p->range_conf.behind;
	const struct value *v;

	if (p->start_json == NULL)
		return OK;
	v = value_find(&p->start, paging_keys(p)->partition);
	if (v == NULL || !value_equal(v, k->partition))
		return refuse(
			p->job->arena, no,
			"The provided starting key is outside query boundaries based "
			"on provided condition");
	if (span_compare(behind, b->from) < 0 ||
	    (b->to.n > 0 && span_compare(behind, b->to) >= 0))
		return refuse(p->job->arena, no,
			      "The provided starting key does not match the range key "
			      "predicate");
	return OK;
}

static enum err prepare(struct query *q, struct refusal *no)
{
	struct paging *p = &q->paging;
	struct range_conf *r = &p->range_conf;
	struct key_condition k;
	enum err e = paging_find_index(p, no);

	if (e == OK)
		e = read_condition(q, &k, no);
	if (e == OK)
		e = check_filter(q, no);
	if (e != OK)
		return e;
	r->bounds = bounds_of(p->job->arena, &k);
	r->is_backward = q->is_backward;
	r->is_merged = p->index != NULL && !p->index->is_local;
	r->first_shard = r->is_merged ? 0 : place_shard(k.partition);
	r->last_shard = r->is_merged ? SHARDS - 1 : r->first_shard;
	paging_set_start(p);
	return check_start(q, &k, no);
}

static void on_tables(struct job *c)
{
	struct query *q = c->state;
	struct refusal no;
	enum err e = prepare(q, &no);

	if (e == OK)
		paging_start(&q->paging);
	else if (e == ERR_AGAIN)
		job_restart(c);
	else
		job_refuse(c, &no);
}
