#ifndef CLI_COMMANDS_SEND_H
#define CLI_COMMANDS_SEND_H

/* `gatepost send ID TEXT`: push to one connection; TEXT - is what stdin has. Returns an enum api_exit. */
int send_run(int argc, char **argv);

#endif
