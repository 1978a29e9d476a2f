#ifndef CLI_COMMANDS_PRESENCE_H
#define CLI_COMMANDS_PRESENCE_H

/* gatepost presence CHANNEL: list who is subscribed to a channel. Returns the exit status. */
int presence_run(int argc, char **argv);

#endif
