#ifndef CLI_COMMANDS_PUBLISH_H
#define CLI_COMMANDS_PUBLISH_H

/* gatepost publish CHANNEL TEXT: publish to a channel. Returns the exit status. */
int publish_run(int argc, char **argv);

#endif
