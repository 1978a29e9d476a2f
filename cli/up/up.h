#ifndef CLI_UP_UP_H
#define CLI_UP_UP_H

/*
 * `gatepost up`: all of Gatepost on this machine, from one command to Ctrl-C.
 *
 * argv     argv[0] is not read
 * returns  the exit status: 0 after a clean stop (and a demo that was right), 2 for bad
 *          settings, 1 for all else
 */
int up_run(int argc, char **argv);

#endif
