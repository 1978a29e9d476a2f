#ifndef CLI_COMMANDS_HISTORY_H
#define CLI_COMMANDS_HISTORY_H

/* gatepost history CHANNEL: print what a channel has kept. Returns the exit status. */
int history_run(int argc, char **argv);

#endif
