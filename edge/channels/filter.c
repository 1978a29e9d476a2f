#include "edge/channels/filter.h"

#include "proto/batch.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

enum { NUMBER_ROOM = 64 };

struct node {
	uint8_t op; /* GATEPOST__FILTER_NODE__OP__… */
	uint32_t n; /* operands, or values */
	struct span tag;
	struct span *values;
};

/* One piece of memory: nodes, values, and their bytes. */
struct filter {
	uint32_t n;
	struct node nodes[];
};

static bool is_branch(Gatepost__FilterNode__Op op)
{
	return op == GATEPOST__FILTER_NODE__OP__AND ||
	       op == GATEPOST__FILTER_NODE__OP__OR ||
	       op == GATEPOST__FILTER_NODE__OP__NOT;
}

static struct span copy(uint8_t **to, ProtobufCBinaryData from)
{
	uint8_t *at = *to;

	if (from.len > 0)
		memcpy(at, from.data, from.len);
	*to += from.len;
	return span_of(at, from.len);
}

struct filter *filter_new(Gatepost__FilterNode *const *nodes, size_t n)
{
	size_t values = 0, bytes = 0;
	struct filter *f;
	struct span *value;
	uint8_t *at;

	if (n == 0)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		values += nodes[i]->n_values;
		bytes += nodes[i]->tag.len;
		for (size_t k = 0; k < nodes[i]->n_values; k++)
			bytes += nodes[i]->values[k].len;
	}
	f = xmalloc(sizeof *f + n * sizeof *f->nodes + values * sizeof *value + bytes);
	f->n = (uint32_t)n;
	value = (struct span *)(void *)&f->nodes[n];
	at = (uint8_t *)(value + values);
	for (size_t i = 0; i < n; i++) {
		const Gatepost__FilterNode *m = nodes[i];
		bool branch = is_branch(m->op);

		f->nodes[i] = (struct node){
			.op = (uint8_t)m->op,
			.n = branch ? m->operands : (uint32_t)m->n_values,
			.tag = copy(&at, m->tag),
			.values = value,
		};
		for (size_t k = 0; k < m->n_values; k++)
			*value++ = copy(&at, m->values[k]);
	}
	return f;
}

void filter_free(struct filter *f)
{
	free(f);
}

/* A decimal number as in JSON, but for leading zeros. */
static bool number_of(struct span text, double *out)
{
	char room[NUMBER_ROOM], *end;

	if (text.n == 0 || text.n >= sizeof room)
		return false;
	for (size_t i = 0; i < text.n; i++)
		if (!isdigit(text.p[i]) && memchr("+-.eE", text.p[i], 5) == NULL)
			return false;
	memcpy(room, text.p, text.n);
	room[text.n] = '\0';
	*out = strtod(room, &end);
	return *end == '\0' && isfinite(*out);
}

static bool compares(uint8_t op, struct span tag, struct span value)
{
	double a, b;

	if (!number_of(tag, &a) || !number_of(value, &b))
		return false;
	switch (op) {
	case GATEPOST__FILTER_NODE__OP__GT: return a > b;
	case GATEPOST__FILTER_NODE__OP__GTE: return a >= b;
	case GATEPOST__FILTER_NODE__OP__LT: return a < b;
	default: return a <= b;
	}
}

static bool is_any(const struct node *n, struct span tag)
{
	for (uint32_t i = 0; i < n->n; i++)
		if (span_eq(n->values[i], tag))
			return true;
	return false;
}

static bool has(struct span tag, struct span part)
{
	return part.n == 0 || memmem(tag.p, tag.n, part.p, part.n) != NULL;
}

/* The tag's value; NULL: the publication has no such tag. */
static const struct span *tag_of(const struct publication *p, struct span key)
{
	for (size_t i = 0; i < p->n_tags; i++)
		if (span_eq(p->tags[i].key, key))
			return &p->tags[i].value;
	return NULL;
}

static bool leaf_wants(const struct node *n, const struct publication *p)
{
	const struct span *tag = tag_of(p, n->tag);
	struct span v = n->n > 0 ? n->values[0] : span_of(NULL, 0);

	switch (n->op) {
	case GATEPOST__FILTER_NODE__OP__EXISTS:
		return (tag != NULL) != span_is(v, "false");
	case GATEPOST__FILTER_NODE__OP__NE: return tag == NULL || !span_eq(*tag, v);
	case GATEPOST__FILTER_NODE__OP__NIN: return tag == NULL || !is_any(n, *tag);
	}
	if (tag == NULL)
		return false;
	switch (n->op) {
	case GATEPOST__FILTER_NODE__OP__EQ: return span_eq(*tag, v);
	case GATEPOST__FILTER_NODE__OP__IN: return is_any(n, *tag);
	case GATEPOST__FILTER_NODE__OP__STARTS:
		return tag->n >= v.n && span_eq(span_of(tag->p, v.n), v);
	case GATEPOST__FILTER_NODE__OP__ENDS:
		return tag->n >= v.n && span_eq(span_of(tag->p + tag->n - v.n, v.n), v);
	case GATEPOST__FILTER_NODE__OP__CONTAINS: return has(*tag, v);
	default: return compares(n->op, *tag, v);
	}
}

/* The node at *at, with its operands; *at is behind them afterwards. No deeper than a filter has nodes. */
static bool node_wants(const struct filter *f, uint32_t *at, const struct publication *p)
{
	const struct node *n = &f->nodes[(*at)++];
	bool all = true, any = false;

	switch (n->op) {
	case GATEPOST__FILTER_NODE__OP__AND:
	case GATEPOST__FILTER_NODE__OP__OR:
	case GATEPOST__FILTER_NODE__OP__NOT: break;
	default: return leaf_wants(n, p);
	}
	for (uint32_t i = 0; i < n->n; i++) {
		bool wants = node_wants(f, at, p);

		all = all && wants;
		any = any || wants;
	}
	if (n->op == GATEPOST__FILTER_NODE__OP__NOT)
		return !any;
	return n->op == GATEPOST__FILTER_NODE__OP__AND ? all : any;
}

bool filter_wants(const struct filter *f, const struct publication *p)
{
	uint32_t at = 0;

	return f == NULL || node_wants(f, &at, p);
}
