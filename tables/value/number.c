#include "tables/value/number.h"

enum {
	FAR = 1000000000
}; /* exponents beyond count as this; no text is so long that its digits make up for it */

static const char overflow[] = "Number overflow. Attempting to store a number with "
			       "magnitude larger than supported range";
static const char underflow[] = "Number underflow. Attempting to store a number with "
				"magnitude smaller than supported range";
static const char too_many[] =
	"Attempting to store more than 38 significant digits in a Number";

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* What the digits of a text come to, gathered from the left. */
struct gathered {
	struct number x;
	int64_t exponent;
	size_t significant; /* digits from the first to the last that is not 0 */
	size_t zeros;       /* after that one */
	bool any;           /* a digit at all */
};

static void gather(struct gathered *g, uint8_t digit)
{
	g->any = true;
	if (digit == 0) {
		g->zeros++;
		return;
	}
	if (g->significant == 0)
		g->zeros = 0; /* leading ones say nothing */
	g->significant += g->zeros + 1;
	g->zeros = 0;
	if (g->significant <= NUMBER_DIGITS)
		g->x.digits[g->significant - 1] = digit;
}

/* Digits, and a point among them; p moves behind. */
static void read_digits(const uint8_t **p, const uint8_t *end, struct gathered *g)
{
	bool point = false;

	for (; *p < end; (*p)++) {
		uint8_t c = **p;

		if (c == '.' && !point) {
			point = true;
			continue;
		}
		if (!is_digit(c))
			break;
		gather(g, (uint8_t)(c - '0'));
		if (!point && g->significant > 0)
			g->exponent++;
		else if (point && g->significant == 0)
			g->exponent--;
	}
}

/* Behind the e: a sign, and digits, one at least. */
static bool read_exponent(const uint8_t **p, const uint8_t *end, int64_t *out)
{
	bool minus = *p < end && **p == '-';
	int64_t sum = 0;

	if (*p < end && (minus || **p == '+'))
		(*p)++;
	if (*p == end)
		return false;
	for (; *p < end && is_digit(**p); (*p)++)
		if (sum < FAR)
			sum = sum * 10 + (**p - '0');
	*out = minus ? -sum : sum;
	return *p == end;
}

/* The bounds of what can be stored. */
static enum err check_range(int64_t exponent, size_t significant, const char **why)
{
	*why = exponent > NUMBER_EXPONENT_MOST    ? overflow
	       : exponent < NUMBER_EXPONENT_LEAST ? underflow
	       : significant > NUMBER_DIGITS      ? too_many
						  : NULL;
	return *why ? ERR_TOOBIG : OK;
}

enum err number_read(struct span text, struct number *out, const char **why)
{
	if (text.n == 0) {
		*why = "The parameter cannot be converted to a numeric value";
		return ERR_MALFORMED;
	}

	const uint8_t *p = text.p, *end = text.p + text.n;
	struct gathered g = {0};
	int64_t shift = 0;
	bool minus = *p == '-';
	enum err e;

	*why = NULL;
	if (minus || *p == '+')
		p++;
	read_digits(&p, end, &g);
	if (!g.any)
		return ERR_MALFORMED;
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (!read_exponent(&p, end, &shift))
			return ERR_MALFORMED;
	}
	if (p < end)
		return ERR_MALFORMED;
	*out = (struct number){0};
	if (g.significant == 0)
		return OK;
	e = check_range(g.exponent + shift, g.significant, why);
	if (e != OK)
		return e;
	*out = g.x;
	out->negative = minus;
	out->exponent = (int16_t)(g.exponent + shift);
	out->n = (uint8_t)g.significant;
	return OK;
}

static size_t put_digits(const struct number *x, int from, int to, char *out)
{
	for (int i = from; i < to; i++)
		out[i - from] = (char)('0' + (i >= 0 && i < x->n ? x->digits[i] : 0));
	return to > from ? (size_t)(to - from) : 0;
}

size_t number_write(const struct number *x, char out[NUMBER_TEXT])
{
	char *p = out;

	if (x->negative)
		*p++ = '-';
	if (x->exponent > 0)
		p += put_digits(x, 0, x->exponent, p);
	else
		*p++ = '0';
	if (x->exponent < x->n) {
		*p++ = '.';
		p += put_digits(x, x->exponent, x->n, p);
	}
	return (size_t)(p - out);
}

bool number_is_plain(struct span text)
{
	size_t sign = text.n > 0 && text.p[0] == '-', n = text.n - sign;

	if (n == 0 || n > NUMBER_DIGITS)
		return false;
	if (text.p[sign] == '0')
		return text.n == 1;
	for (size_t i = sign; i < text.n; i++)
		if (!is_digit(text.p[i]))
			return false;
	return true;
}

int number_compare(const struct number *a, const struct number *b)
{
	int sign = a->negative ? -1 : 1, order;

	if (a->negative != b->negative)
		return sign;
	if (a->n == 0 || b->n == 0) /* the other one is not negative either */
		return (a->n > 0) - (b->n > 0);
	order = a->exponent - b->exponent;
	if (order == 0)
		order = memcmp(a->digits, b->digits, sizeof a->digits);
	return sign * order;
}

/* Digits in front of the point. */
static size_t integer_length(struct span text)
{
	const uint8_t *point = text.n > 0 ? memchr(text.p, '.', text.n) : NULL;

	return point ? (size_t)(point - text.p) : text.n;
}

int number_compare_texts(struct span a, struct span b)
{
	bool minus = a.n > 0 && a.p[0] == '-', other = b.n > 0 && b.p[0] == '-';
	size_t na, nb;
	int order;

	if (minus != other)
		return minus ? -1 : 1;
	if (minus) {
		a = span_of(a.p + 1, a.n - 1);
		b = span_of(b.p + 1, b.n - 1);
	}
	/* Equally many digits in front of the point: then it is the order of the characters. */
	na = integer_length(a);
	nb = integer_length(b);
	order = na != nb ? (na > nb) - (na < nb) : span_compare(a, b);
	return minus ? -order : order;
}

size_t number_size(struct span text)
{
	size_t minus = text.n > 0 && text.p[0] == '-';
	struct span s = span_of(text.p + minus, text.n - minus);
	size_t integer = integer_length(s);
	size_t fraction = integer < s.n ? s.n - integer - 1 : 0;

	if (s.n > 0 && s.p[0] == '0') { /* "0", "0.00…": leading ones */
		integer = 0;
		for (size_t i = 2; i < s.n && s.p[i] == '0'; i++)
			fraction--;
	}
	if (fraction == 0)
		while (integer > 0 && s.p[integer - 1] == '0')
			integer--;
	return 1 + (integer + 1) / 2 + (fraction + 1) / 2 + minus;
}

enum { SUM_DIGITS = NUMBER_EXPONENT_MOST - NUMBER_EXPONENT_LEAST + NUMBER_DIGITS + 1 };

/* Digits of a sum, from that of 10^(top - 1) on down. */
struct sum {
	int top;
	int n;
	int8_t digits[SUM_DIGITS];
};

/* Add the digits of x, with their sign, each in its place; what is over 9 or below 0 is left for carry. */
static void sum_put(struct sum *s, const struct number *x, bool minus)
{
	int at = s->top - x->exponent;

	for (int i = 0; i < x->n; i++)
		s->digits[at + i] = (int8_t)(s->digits[at + i] +
					     (minus ? -x->digits[i] : x->digits[i]));
}

/* All digits to 0 to 9. Returns what is carried out of the first: -1 when the sum is negative. */
static int carry(struct sum *s)
{
	int over = 0;

	for (int i = s->n; i-- > 0;) {
		int d = s->digits[i] + over;

		over = (d + 20) / 10 - 2; /* rounded down; d is at least -20 */
		s->digits[i] = (int8_t)(d - 10 * over);
	}
	return over;
}

static enum err sum_read(const struct sum *s, bool negative, struct number *out,
			 const char **why)
{
	int first = 0, last = s->n;
	enum err e;

	*out = (struct number){0};
	*why = NULL;
	while (first < last && s->digits[first] == 0)
		first++;
	while (last > first && s->digits[last - 1] == 0)
		last--;
	if (first == last)
		return OK;
	e = check_range(s->top - first, (size_t)(last - first), why);
	if (e != OK) {
		if (*why == too_many) /* so DynamoDB calls it when a sum is not exact */
			*why = overflow;
		return e;
	}
	out->negative = negative;
	out->exponent = (int16_t)(s->top - first);
	out->n = (uint8_t)(last - first);
	for (int i = first; i < last; i++)
		out->digits[i - first] = (uint8_t)s->digits[i];
	return OK;
}

static int larger(int a, int b)
{
	return a > b ? a : b;
}

static enum err add(const struct number *a, const struct number *b, bool b_negative,
		    struct number *out, const char **why)
{
	int top = larger(a->n ? a->exponent : b->exponent,
			 b->n ? b->exponent : a->exponent);
	int low = -larger(a->n ? a->n - a->exponent : b->n - b->exponent,
			  b->n ? b->n - b->exponent : a->n - a->exponent);
	struct sum s = {.top = top + 1,
			.n = top + 1 - low}; /* one digit for what is carried */
	bool negative;

	sum_put(&s, a, a->negative);
	sum_put(&s, b, b_negative);
	negative = carry(&s) < 0;
	if (negative) { /* the tens' complement: once more, with all signs turned */
		memset(s.digits, 0, sizeof s.digits);
		sum_put(&s, a, !a->negative);
		sum_put(&s, b, !b_negative);
		carry(&s);
	}
	return sum_read(&s, negative, out, why);
}

enum err number_add(const struct number *a, const struct number *b, struct number *out,
		    const char **why)
{
	return add(a, b, b->negative, out, why);
}

enum err number_subtract(const struct number *a, const struct number *b,
			 struct number *out, const char **why)
{
	return add(a, b, !b->negative, out, why);
}
