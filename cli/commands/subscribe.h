#ifndef CLI_COMMANDS_SUBSCRIBE_H
#define CLI_COMMANDS_SUBSCRIBE_H

/* gatepost subscribe CHANNEL...: print the messages of channels as they come. Returns the exit status. */
int subscribe_run(int argc, char **argv);

#endif
