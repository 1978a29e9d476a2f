#ifndef BROKER_FUNCTION_DEMO_H
#define BROKER_FUNCTION_DEMO_H

/*
 * builtin:demo, the first page of a Gatepost without a configuration: a small chat, as one HTML
 * document. demo/ has its parts; embed.cmake makes a C file of them, with the client of
 * clients/js inside.
 */

#include "broker/payload/invocation.h"
#include "broker/payload/result.h"

/* As an integration's invoke: fn is called before it returns. */
void demo_invoke(const struct invocation *in, result_fn *fn, void *arg);

#endif
