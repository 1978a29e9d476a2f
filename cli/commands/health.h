#ifndef CLI_COMMANDS_HEALTH_H
#define CLI_COMMANDS_HEALTH_H

/* `gatepost health [URL]`: is an edge or a broker ready? 0 or 1, or API_USAGE. */
int health_run(int argc, char **argv);

#endif
