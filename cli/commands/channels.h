#ifndef CLI_COMMANDS_CHANNELS_H
#define CLI_COMMANDS_CHANNELS_H

/* gatepost channels [PREFIX]: list the channels that are in use. Returns the exit status. */
int channels_run(int argc, char **argv);

#endif
