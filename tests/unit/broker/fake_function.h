#ifndef TESTS_UNIT_BROKER_FAKE_FUNCTION_H
#define TESTS_UNIT_BROKER_FAKE_FUNCTION_H

/* An integration whose invocations wait until the test ends them. */

#include "broker/function/integration.h"

enum { FAKE_INVOCATIONS = 16 };

struct integration fake_function(void);

/* Invocations that wait; the oldest of them, which must be there. */
size_t fake_function_waiting(void);
const struct invocation *fake_function_invocation(void);
enum event_form fake_function_form(void);

/* Ends the oldest. */
void fake_function_end(const struct result *r);
void fake_function_return(int status);          /* OK, without a body */
void fake_function_fail(enum result_kind kind); /* why: "the fake failed" */

/* From now on, invocations end with this before invoke returns. NULL: not any more. */
void fake_function_answer_at_once(const struct result *r);

/* Forget what waits. */
void fake_function_reset(void);

#endif
