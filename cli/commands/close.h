#ifndef CLI_COMMANDS_CLOSE_H
#define CLI_COMMANDS_CLOSE_H

/* `gatepost close ID`: close one connection, with a code and a reason. Returns an enum api_exit. */
int close_run(int argc, char **argv);

#endif
