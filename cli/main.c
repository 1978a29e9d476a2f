/* The command line. */
#include "cli/commands/channels.h"
#include "cli/commands/check.h"
#include "cli/commands/close.h"
#include "cli/commands/connections.h"
#include "cli/commands/disconnects.h"
#include "cli/commands/health.h"
#include "cli/commands/history.h"
#include "cli/commands/presence.h"
#include "cli/commands/publish.h"
#include "cli/commands/send.h"
#include "cli/commands/shed.h"
#include "cli/commands/subscribe.h"
#include "cli/commands/table.h"
#include "cli/commands/tables.h"
#include "cli/up/up.h"

#include <stdio.h>
#include <string.h>

enum { BAD_SETTINGS = 2 };

struct command {
	const char *name;
	int (*run)(int argc, char **argv); /* argv[0] is the command */
	const char *help;
};

static int help(int argc, char **argv);
static int version(int argc, char **argv);

static const struct command commands[] = {
	{"up", up_run, "start Gatepost on this machine, and print its endpoints"},
	{"check", check_run, "validate a configuration and list its routes"},
	{"connections", connections_run,
	 "list connections, or show one: gatepost connections ID"},
	{"disconnects", disconnects_run,
	 "list, retry or drop $disconnect events that failed permanently"},
	{"send", send_run, "push to a connection: gatepost send ID TEXT"},
	{"close", close_run, "close a connection: gatepost close ID"},
	{"publish", publish_run, "publish to a channel: gatepost publish CHANNEL TEXT"},
	{"subscribe", subscribe_run,
	 "print the messages of channels: gatepost subscribe CHANNEL..."},
	{"history", history_run,
	 "print what a channel has kept: gatepost history CHANNEL"},
	{"channels", channels_run,
	 "list the channels that have subscribers: gatepost channels PREFIX"},
	{"presence", presence_run,
	 "list who is subscribed to a channel: gatepost presence CHANNEL"},
	{"tables", tables_run,
	 "list tables, or write and read them as files: gatepost tables export FOLDER"},
	{"table", table_run, "scan, create or delete a table: gatepost table scan NAME"},
	{"shed", shed_run,
	 "list edges, or close some of an edge's connections: gatepost shed EDGE N"},
	{"health", health_run, "is an edge or a broker ready? gatepost health [URL]"},
	{"help", help, "print this, or the usage of a command: gatepost help up"},
	{"version", version, "print the version"},
};

enum { COMMANDS = sizeof commands / sizeof *commands };

static const struct command *find_command(const char *name)
{
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		name = "help";
	if (strcmp(name, "--version") == 0)
		name = "version";
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int unknown(const char *name)
{
	fprintf(stderr, "gatepost: unknown command \"%s\"; see gatepost help\n", name);
	return BAD_SETTINGS;
}

static int help(int argc, char **argv)
{
	const struct command *c = argc > 1 ? find_command(argv[1]) : NULL;

	if (argc > 1 && c == NULL)
		return unknown(argv[1]);
	if (c && c->run != help && c->run != version)
		return c->run(2, (char *[]){argv[1], "--help", NULL});
	puts("Usage: gatepost COMMAND [--NAME VALUE]...\n"
	     "Gatepost: the WebSocket API gateway that you run yourself.\n\n"
	     "Commands:");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-11s %s\n", commands[i].name, commands[i].help);
	return 0;
}

static int version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	puts("gatepost " GATEPOST_VERSION);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return help(0, argv);

	const struct command *c = find_command(argv[1]);
	return c ? c->run(argc - 1, argv + 1) : unknown(argv[1]);
}
