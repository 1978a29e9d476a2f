#include "tests/fuzz/input.h"

#include "proto/envelope.h"

static const uint8_t *at, *end;

void input_begin(struct span all)
{
	at = all.p;
	end = all.p + all.n;
}

bool input_is_left(void)
{
	return at < end;
}

uint8_t input_byte(void)
{
	return at < end ? *at++ : 0;
}

uint64_t input_number(void)
{
	/* Those that are next to where something begins or ends. */
	static const int64_t known[] = {
		0,         1,          99,
		100,       101,        199,
		200,       204,        304,
		599,       600,        999,
		1000,      1001,       1005,
		4999,      UINT16_MAX, UINT32_MAX,
		INT64_MAX, INT64_MIN,  ENVELOPE_TIME_MOST,
		-1,
	};
	uint8_t kind = input_byte();
	uint64_t n = 0;

	if (kind < sizeof known / sizeof *known)
		return (uint64_t)known[kind];
	for (unsigned i = 0; i < kind % 9u; i++)
		n = n << 8 | input_byte();
	return n;
}

struct span input_text(void)
{
	size_t n = input_byte();
	struct span s;

	if (n > 200)
		n *= 50; /* of which the input has a few */
	if (n > (size_t)(end - at))
		n = (size_t)(end - at);
	s = span_of(at, n);
	at += n;
	return s;
}
