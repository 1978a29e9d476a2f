#include "broker/events/handle.h"

#include <assert.h>

static void (*const handlers[])(struct call *) = {
	[GATEPOST__EVENT__KIND__CONNECT] = handle_connect,
	[GATEPOST__EVENT__KIND__MESSAGE] = handle_message,
	[GATEPOST__EVENT__KIND__DISCONNECT] = handle_disconnect,
	[GATEPOST__EVENT__KIND__HTTP] = handle_http,
};

void handle(struct call *c)
{
	assert(c->kind < sizeof handlers / sizeof *handlers && handlers[c->kind] != NULL);
	handlers[c->kind](c);
}
