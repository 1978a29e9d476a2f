#ifndef TESTS_UNIT_BROKER_CHANNELS_CLIENT_FIXTURE_H
#define TESTS_UNIT_BROKER_CHANNELS_CLIENT_FIXTURE_H

/*
 * A client's messages, without edges and without a store: commands, reads, publishes and questions about
 * rates wait until the test answers them.
 *
 * Namespaces: default (anyone, no history), ask (the function f decides), cache (recover: cache),
 * few (anyone, rate 1, userRate 2, messages of 8 bytes), room (anyone, history), users (authenticated,
 * publish: nobody, history).
 * Routes: subscribe, unsubscribe, publish, history, presence, ping of builtin:channels, $default too; say of f.
 */

#include "../broker/fake_function.h"
#include "broker/channels/client/client.h"
#include "broker/channels/presence/presence.h"
#include "broker/channels/delivery/publish.h"
#include "broker/channels/delivery/read.h"

enum { COMMAND_SUBSCRIBE, COMMAND_UNSUBSCRIBE /* by command_apply */, COMMAND_LOOK };

void client_fixture_start(void);
void client_fixture_stop(void);

/* Its configuration, for a test that changes it before its first message. */
struct config_namespace *client_fixture_ns(const char *name);

/* Who sends the messages that follow: a user ("": anonymous), and the authorizer's context, JSON or "". */
void client_fixture_be(const char *user, const char *authorizer);

/* The link to the edge is lost. */
void client_fixture_lose(void);

/* A message, as text or binary; the answer to the one before has been given. */
void client_fixture_send(const char *message);
void client_fixture_send_binary(const char *message);

/* Actions that a function has chosen: of each its verb, and JSON; up to an object without verb. */
struct client_fixture_chosen {
	const char *verb, *json;
};
void client_fixture_choose(const struct client_fixture_chosen *list, const char *id);

/* Was it answered? */
bool client_fixture_is_answered(void);

/*
 * The answer, which must have been given: frames as they are, "+room:1 e/5 [6 7]" for one that goes live,
 * with its position and the offsets that were missed, "-room:1" for one that ends; each followed by a line end.
 */
const char *client_fixture_answer(void);
bool client_fixture_has_failed(void);

/* The command that waits: it must be there, of this kind. SUBSCRIBE: its subscription. */
const Gatepost__Subscription *client_fixture_command(int kind);

/* Its channel. */
const char *client_fixture_channel(void);

/* Answer it; o may be NULL. */
void client_fixture_outcome(enum err e, const Gatepost__Outcome *o);

/* OK, and it was not live. */
void client_fixture_confirm(void);

/* The read that waits; and its answer: with failure, or position, what is kept below it, and n messages from first on. */
const struct read_request *client_fixture_read(void);
void client_fixture_history(const char *epoch, int64_t top, int64_t base, int64_t first,
			    size_t n);
void client_fixture_read_fails(void);

/* Bytes of data in each message of a history. */
extern size_t client_fixture_data;

/* The publish that waits, and its answer. */
const struct publication *client_fixture_publication(void);
void client_fixture_published(const struct published *p);

/* Does a question about a rate wait? And its answer. */
bool client_fixture_asks_rate(void);
void client_fixture_rate(enum err e, bool is_within);

/* The last question about presence: "join room:1", "leave …", "read room:1 after … most 100"; and its answer. */
const char *client_fixture_presence(void);
void client_fixture_present(const struct failure *failure);
void client_fixture_page(const struct failure *failure, const struct presence_page *page);

/* Let time pass. */
void client_fixture_pass(int64_t ms);

#endif
