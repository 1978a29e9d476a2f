#ifndef TESTS_UNIT_BROKER_API_FAKE_COMMANDS_H
#define TESTS_UNIT_BROKER_API_FAKE_COMMANDS_H

/* Stands in for broker/cluster/commands.c: the commands that were asked for wait here until a test ends them. */

#include "broker/cluster/commands.h"

enum { COMMANDS_MOST = 16, COMMAND_BODY = 128 };

enum command_kind {
	COMMAND_NONE,
	COMMAND_SEND,
	COMMAND_SEND_MANY,
	COMMAND_CLOSE,
	COMMAND_LOOK,
	COMMAND_APPLY,
	COMMAND_SHED
};

struct command {
	enum command_kind kind;
	struct id id;
	uint16_t
		edge; /* of COMMAND_SEND_MANY and COMMAND_SHED, with the number of its ids */
	size_t n_ids;
	char body[COMMAND_BODY]; /* cut to fit; of COMMAND_APPLY its actions */
	size_t body_n;
	bool binary;
	uint16_t code;
	char reason[128];
	command_fn *fn;
	void *arg;
	bool is_over, is_cancelled;
};

struct commands {
	struct command all[COMMANDS_MOST];
	size_t n;
	const char *edges[2]; /* names of those with the numbers 1 and 2 */
	bool unlinked;        /* no edge is linked here */
	size_t gone, full;    /* as counted */
};

extern struct commands fake_commands;

/* End the command with this number. */
void fake_commands_end(size_t i, enum err e, const Gatepost__Outcome *o);

#endif
