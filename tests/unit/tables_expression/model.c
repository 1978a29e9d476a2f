/*
 * Random conditions, evaluated by the tree and by a second evaluator that reads the text itself,
 * calling itself for each rule of the grammar. Values are small numbers and absent attributes: what
 * is tested is how operators bind and what absent operands do.
 */
#include "tables/expression/condition.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 3000, TEXT = 3000, ATTRIBUTES = 4, NUMBERS = 4 };

/* An attribute: 0 to 3, or absent. */
enum { ABSENT = -1 };

struct model {
	uint64_t state;
	int attributes[ATTRIBUTES]; /* a0 to a3 */
	char text[TEXT];
	size_t n;
	const char *at; /* of the evaluator */
};

/* SplitMix64 */
static unsigned throw_dice(struct model *m, unsigned n)
{
	uint64_t z = m->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (unsigned)((z ^ z >> 31) % n);
}

static void add(struct model *m, const char *piece)
{
	m->n += (size_t)snprintf(m->text + m->n, TEXT - m->n, "%s", piece);
}

/* Attributes that differ, or an attribute and a number, so that both sides are never the same path. */
static void add_comparison(struct model *m)
{
	static const char *const comparators[] = {"=", "<>", "<", "<=", ">", ">="};
	char piece[40];
	unsigned low = throw_dice(m, 4), left = throw_dice(m, 4);

	switch (throw_dice(m, 5)) {
	case 0:
		snprintf(piece, sizeof piece, "a%u BETWEEN :%u AND :%u", left, low,
			 low + throw_dice(m, 4 - low));
		break;
	case 1:
		snprintf(piece, sizeof piece, "a%u IN (:%u, a%u)", left, low, left);
		break;
	case 2: snprintf(piece, sizeof piece, "attribute_exists(a%u)", left); break;
	case 3: snprintf(piece, sizeof piece, "attribute_not_exists(a%u)", left); break;
	default:
		snprintf(piece, sizeof piece, "a%u %s ", left,
			 comparators[throw_dice(m, 6)]);
		add(m, piece);
		snprintf(piece, sizeof piece, throw_dice(m, 2) ? "a%u" : ":%u",
			 (left + 1) % 4);
	}
	add(m, piece);
}

/* grouped: the text around it is a parenthesis already */
static void add_condition(struct model *m, int depth, bool grouped)
{
	unsigned kind = depth > 0 ? throw_dice(m, 6) : 5;

	if (kind == 0 && grouped)
		kind = 1;
	if (kind == 0) {
		add(m, "(");
		add_condition(m, depth - 1, true);
		add(m, ")");
	} else if (kind == 1) {
		add(m, throw_dice(m, 2) ? "NOT " : "not ");
		add_condition(m, depth - 1, false);
	} else if (kind < 5) {
		add_condition(m, depth - 1, false);
		add(m, kind == 2 ? " OR " : kind == 3 ? " AND " : " and ");
		add_condition(m, depth - 1, false);
	} else {
		add_comparison(m);
	}
}

/* ---- the second evaluator ---- */

static bool accept_word(struct model *m, const char *word)
{
	size_t n = strlen(word);

	while (*m->at == ' ')
		m->at++;
	if (strncasecmp(m->at, word, n) != 0)
		return false;
	m->at += n;
	return true;
}

static int read_operand(struct model *m)
{
	if (accept_word(m, ":"))
		return *m->at++ - '0';
	accept_word(m, "a");
	return m->attributes[*m->at++ - '0'];
}

static bool known(int x, int y)
{
	return x != ABSENT && y != ABSENT;
}

static bool eval_between(struct model *m, int x)
{
	int low = read_operand(m), high;

	accept_word(m, "AND");
	high = read_operand(m);
	return known(x, low) && known(x, high) && low <= x && x <= high;
}

static bool eval_in(struct model *m, int x)
{
	int one = read_operand(m), other;

	accept_word(m, ",");
	other = read_operand(m);
	accept_word(m, ")");
	return x != ABSENT && (x == one || x == other);
}

static bool eval_comparison(struct model *m)
{
	int x, y;

	if (accept_word(m, "attribute_exists(")) {
		x = read_operand(m);
		return accept_word(m, ")") && x != ABSENT;
	}
	if (accept_word(m, "attribute_not_exists(")) {
		x = read_operand(m);
		return accept_word(m, ")") && x == ABSENT;
	}
	x = read_operand(m);
	if (accept_word(m, "BETWEEN "))
		return eval_between(m, x);
	if (accept_word(m, "IN ("))
		return eval_in(m, x);
	if (accept_word(m, "<>"))
		return y = read_operand(m), !known(x, y) || x != y;
	if (accept_word(m, "<="))
		return y = read_operand(m), known(x, y) && x <= y;
	if (accept_word(m, ">="))
		return y = read_operand(m), known(x, y) && x >= y;
	if (accept_word(m, "<"))
		return y = read_operand(m), known(x, y) && x < y;
	if (accept_word(m, ">"))
		return y = read_operand(m), known(x, y) && x > y;
	accept_word(m, "=");
	return y = read_operand(m), known(x, y) && x == y;
}

static bool eval_or(struct model *m);

static bool eval_not(struct model *m)
{
	bool result;

	if (accept_word(m, "NOT "))
		return !eval_not(m);
	if (!accept_word(m, "("))
		return eval_comparison(m);
	result = eval_or(m);
	accept_word(m, ")");
	return result;
}

static bool eval_and(struct model *m)
{
	bool result = eval_not(m);

	while (accept_word(m, "AND "))
		result = eval_not(m) && result;
	return result;
}

static bool eval_or(struct model *m)
{
	bool result = eval_and(m);

	while (accept_word(m, "OR "))
		result = eval_and(m) || result;
	return result;
}

/* ---- both ---- */

static const struct value_map *make_item(struct model *m, struct arena *a)
{
	char *json = arena_printf(a, "{"), *comma = "";

	for (int i = 0; i < ATTRIBUTES; i++) {
		m->attributes[i] = (int)throw_dice(m, NUMBERS + 1) - 1;
		if (m->attributes[i] == ABSENT)
			continue;
		json = arena_printf(a, "%s%s'a%d':{'N':'%d'}", json, comma, i,
				    m->attributes[i]);
		comma = ",";
	}
	return fixture_item(a, arena_printf(a, "%s}", json));
}

static void check_round(struct model *m, uint64_t seed)
{
	static const char values[] =
		"{':0':{'N':'0'},':1':{'N':'1'},':2':{'N':'2'},':3':{'N':'3'}}";
	struct arena *a = arena_new();
	const struct value_map *item = make_item(m, a);
	struct condition *c;
	struct refusal no = {0};
	enum err e;

	m->n = 0;
	add_condition(m, (int)throw_dice(m, 7), false);
	e = condition_parse(a, "FilterExpression", span_of(m->text, m->n),
			    fixture_placeholders(a, NULL, values), &c, &no);
	m->at = m->text;
	cr_assert(eq(int, e, OK), "seed %llu: %s: %s", (unsigned long long)seed, m->text,
		  no.message);
	cr_assert(eq(int, condition_holds(c, item), eval_or(m)), "seed %llu: %s of %s",
		  (unsigned long long)seed, m->text, fixture_written(a, item));
	arena_free(a);
}

/* Section 6. GATEPOST_SEED repeats a run. */
Test(model, conditions_mean_what_a_second_evaluator_finds)
{
	const char *given = getenv("GATEPOST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
	struct model m = {.state = seed};

	for (int i = 0; i < ROUNDS; i++)
		check_round(&m, seed);
}
