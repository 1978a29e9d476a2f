#include "broker/function/circuit.h"

bool circuit_allow(struct circuit *k, int64_t now_ms, bool *is_probe)
{
	*is_probe = k->rest_ms != 0;
	if (!*is_probe)
		return true;
	if (now_ms < k->until_ms || k->is_probing)
		return false;
	k->is_probing = true;
	return true;
}

static void open(struct circuit *k, int64_t now_ms)
{
	k->rest_ms = k->rest_ms == 0 ? CIRCUIT_REST_FIRST_MS : 2 * k->rest_ms;
	if (k->rest_ms > CIRCUIT_REST_MOST_MS)
		k->rest_ms = CIRCUIT_REST_MOST_MS;
	k->until_ms = now_ms + k->rest_ms;
}

bool circuit_record(struct circuit *k, int64_t now_ms, bool is_probe, bool failed)
{
	if (is_probe)
		k->is_probing = false;
	if (!failed) {
		*k = (struct circuit){0};
		return false;
	}
	if (k->rest_ms != 0 && !is_probe)
		return false;
	if (++k->failures < CIRCUIT_TRIP)
		return false;
	open(k, now_ms);
	return true;
}
