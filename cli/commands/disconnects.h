#ifndef CLI_COMMANDS_DISCONNECTS_H
#define CLI_COMMANDS_DISCONNECTS_H

/* `gatepost disconnects [--retry ID|all] [--drop ID|all]`: the dead letters. Returns an enum api_exit. */
int disconnects_run(int argc, char **argv);

#endif
