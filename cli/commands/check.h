#ifndef CLI_COMMANDS_CHECK_H
#define CLI_COMMANDS_CHECK_H

/*
 * `gatepost check [FILE]`: what Gatepost would do with a configuration, function by
 * function and route by route.
 *
 * argv     argv[0] is not read
 * returns  the exit status: 0; 1 when the file has mistakes (on stderr, one in a line) or
 *          there is none; 2 for bad flags
 */
int check_run(int argc, char **argv);

#endif
