#ifndef CLI_COMMANDS_CONNECTIONS_H
#define CLI_COMMANDS_CONNECTIONS_H

/* `gatepost connections [ID]`: the connection table, or what is known of one. Returns an enum api_exit. */
int connections_run(int argc, char **argv);

#endif
