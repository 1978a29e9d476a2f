#include "bench/tally.h"

const char *tally_trouble_name(enum trouble t)
{
	switch (t) {
	case TROUBLE_LOCAL: return "local";
	case TROUBLE_REFUSED: return "refused";
	case TROUBLE_HTTP: return "http status";
	case TROUBLE_HANDSHAKE: return "bad handshake";
	case TROUBLE_CLOSED: return "closed";
	case TROUBLE_CUT: return "cut off";
	case TROUBLE_FRAME: return "bad frame";
	case TROUBLE_BYTES: return "wrong bytes";
	case TROUBLE_TIMEOUT: return "timeout";
	case TROUBLES: break;
	}
	return "?";
}

uint64_t tally_troubles(const struct tally *t)
{
	uint64_t sum = 0;

	for (int i = 0; i < TROUBLES; i++)
		sum += t->troubles[i];
	return sum;
}

void tally_merge(struct tally *t, const struct tally *other)
{
	t->opened += other->opened;
	t->answered += other->answered;
	t->closed += other->closed;
	for (int i = 0; i < TROUBLES; i++)
		t->troubles[i] += other->troubles[i];
	for (int i = 0; i < TALLY_STATUSES; i++)
		t->by_status[i] += other->by_status[i];
	for (int i = 0; i < TALLY_CODES; i++)
		t->by_close[i] += other->by_close[i];
	histogram_merge(&t->connect, &other->connect);
	histogram_merge(&t->echo, &other->echo);
	histogram_merge(&t->close, &other->close);
}
