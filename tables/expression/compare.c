#include "tables/expression/compare.h"

static bool is_ordered(const struct value *v)
{
	return v->type == VALUE_S || v->type == VALUE_N || v->type == VALUE_B;
}

static bool holds_for(enum node_kind kind, int order)
{
	switch ((int)kind) {
	case NODE_LESS: return order < 0;
	case NODE_LESS_EQUAL: return order <= 0;
	case NODE_GREATER: return order > 0;
	default: return order >= 0;
	}
}

bool compare_values(enum node_kind kind, const struct value *a, const struct value *b)
{
	bool alike = a && b && a->type == b->type;

	if (kind == NODE_EQUAL)
		return alike && value_equal(a, b);
	if (kind == NODE_DIFFERENT)
		return !alike || !value_equal(a, b);
	return alike && is_ordered(a) && holds_for(kind, value_compare(a, b));
}

bool compare_between(const struct value *v, const struct value *low,
		     const struct value *high)
{
	return compare_values(NODE_GREATER_EQUAL, v, low) &&
	       compare_values(NODE_LESS_EQUAL, v, high);
}

static bool is_text(const struct value *v)
{
	return v->type == VALUE_S || v->type == VALUE_B;
}

bool compare_begins_with(const struct value *v, const struct value *prefix)
{
	return v && prefix && is_text(v) && v->type == prefix->type &&
	       v->bytes.n >= prefix->bytes.n &&
	       span_eq(span_of(v->bytes.p, prefix->bytes.n), prefix->bytes);
}

static bool text_contains(struct span text, struct span part)
{
	return part.n == 0 || (text.n > 0 && memmem(text.p, text.n, part.p, part.n));
}

bool compare_contains(const struct value *v, const struct value *part)
{
	bool list = v && (v->type == VALUE_L || v->type == VALUE_SS ||
			  v->type == VALUE_NS || v->type == VALUE_BS);
	bool found = false;

	if (!v || !part)
		return false;
	if (is_text(v))
		return v->type == part->type && text_contains(v->bytes, part->bytes);
	for (size_t i = 0; list && !found && i < v->list.n; i++)
		found = value_equal(&v->list.items[i], part);
	return found;
}

/* UTF-8 needs four bytes for what UTF-16 needs two units for. */
static size_t utf16_units(struct span text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.n; i++) {
		n += (text.p[i] & 0xc0) != 0x80;
		n += text.p[i] >= 0xf0;
	}
	return n;
}

bool compare_size(const struct value *v, size_t *out)
{
	switch (v->type) {
	case VALUE_S: *out = utf16_units(v->bytes); return true;
	case VALUE_B: *out = v->bytes.n; return true;
	case VALUE_L:
	case VALUE_SS:
	case VALUE_NS:
	case VALUE_BS: *out = v->list.n; return true;
	case VALUE_M: *out = v->map.n; return true;
	case VALUE_N:
	case VALUE_BOOL:
	case VALUE_NULL:
	case VALUE_TYPES: break;
	}
	return false;
}
