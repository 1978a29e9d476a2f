#include "tables/expression/term.h"
#include "tables/value/number.h"

#include <assert.h>

enum {
	/* An element of a list counts for two bytes at least: more of them are no item. */
	ELEMENTS_MOST = VALUE_ITEM_MOST / 2,
};

/* Elements of lists that are appended to each other, however many: they are copied once. */
struct pile {
	struct value *items;
	size_t n, room;
};

enum err term_refuse_type(struct terms *t)
{
	return refuse(t->a, t->no,
		      "An operand in the update expression has an incorrect data type");
}

static enum err pile_list(struct terms *t, struct pile *pile, const struct value *list)
{
	size_t n = list->list.n;

	t->appended += n;
	if (t->appended > ELEMENTS_MOST)
		return refuse(
			t->a, t->no,
			"Item size to update has exceeded the maximum allowed size");
	if (pile->n + n > pile->room) {
		size_t room = 2 * (pile->n + n);
		struct value *more = arena_alloc(t->a, room * sizeof *more);

		if (pile->n > 0)
			memcpy(more, pile->items, pile->n * sizeof *more);
		pile->items = more;
		pile->room = room;
	}
	if (n > 0)
		memcpy(pile->items + pile->n, list->list.items, n * sizeof *pile->items);
	pile->n += n;
	return OK;
}

static enum err pile_term(struct terms *t, struct pile *pile, const struct node *term)
{
	const struct value *v = NULL;
	enum err e;

	if (term->kind == NODE_IF_NOT_EXISTS && !path_find(&term->args[0].path, t->item))
		return pile_term(t, pile, &term->args[1]);
	if (term->kind == NODE_LIST_APPEND) {
		e = pile_term(t, pile, &term->args[0]);
		return e == OK ? pile_term(t, pile, &term->args[1]) : e;
	}
	e = term_value(t, term, &v);
	if (e != OK)
		return e;
	assert(v);
	return v->type == VALUE_L ? pile_list(t, pile, v) : term_refuse_type(t);
}

static enum err append_value(struct terms *t, const struct node *term,
			     const struct value **out)
{
	struct pile pile = {0};
	struct value *v = arena_calloc(t->a, 1, sizeof *v);
	enum err e = pile_term(t, &pile, term);

	*v = (struct value){.type = VALUE_L, .list = {pile.items, pile.n}};
	*out = v;
	return e;
}

static const struct value *value_of_number(struct arena *a, const struct number *x)
{
	struct value *v = arena_calloc(a, 1, sizeof *v);
	char text[NUMBER_TEXT];
	size_t n = number_write(x, text);

	*v = (struct value){.type = VALUE_N, .bytes = arena_copy(a, span_of(text, n))};
	return v;
}

enum err term_sum(struct terms *t, enum node_kind kind, const struct value *a,
		  const struct value *b, const struct value **out)
{
	struct number x, y, sum;
	const char *why = NULL;
	enum err e;

	if (a->type != VALUE_N || b->type != VALUE_N)
		return term_refuse_type(t);
	e = number_read(a->bytes, &x, &why);
	if (e == OK)
		e = number_read(b->bytes, &y, &why);
	if (e == OK)
		e = kind == NODE_PLUS ? number_add(&x, &y, &sum, &why)
				      : number_subtract(&x, &y, &sum, &why);
	if (e != OK)
		return refuse(
			t->a, t->no, "%s",
			why ? why
			    : "The parameter cannot be converted to a numeric value");
	*out = value_of_number(t->a, &sum);
	return OK;
}

static enum err sum_value(struct terms *t, const struct node *term,
			  const struct value **out)
{
	const struct value *a, *b;
	enum err e = term_value(t, &term->args[0], &a);

	if (e == OK)
		e = term_value(t, &term->args[1], &b);
	return e == OK ? term_sum(t, term->kind, a, b, out) : e;
}

enum err term_value(struct terms *t, const struct node *term, const struct value **out)
{
	switch ((int)term->kind) {
	case NODE_VALUE: *out = term->value; return OK;
	case NODE_PATH: *out = path_find(&term->path, t->item); break;
	case NODE_IF_NOT_EXISTS:
		*out = path_find(&term->args[0].path, t->item);
		return *out ? OK : term_value(t, &term->args[1], out);
	case NODE_LIST_APPEND: return append_value(t, term, out);
	default: return sum_value(t, term, out);
	}
	if (!*out)
		return refuse(t->a, t->no,
			      "The provided expression refers to an attribute that does "
			      "not exist in the item");
	return OK;
}
