#include "base/grace.h"

#include "base/log.h"

void grace_check(int64_t drain_ms, int64_t grace_ms)
{
	if (grace_ms == 0 || drain_ms <= grace_ms)
		return;
	log_warn("drain.too_long", I("drain_at_most_ms", drain_ms),
		 I("grace_ms", grace_ms),
		 S("why", "SIGKILL comes before the drain is over"),
		 S("hint", "raise terminationGracePeriodSeconds and --grace, or lower "
			   "--drain-timeout or --drain-delay"));
}
