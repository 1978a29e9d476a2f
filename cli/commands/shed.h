#ifndef CLI_COMMANDS_SHED_H
#define CLI_COMMANDS_SHED_H

/* gatepost shed: see its help in shed.c. argv[0] is the command; returns the exit status. */
int shed_run(int argc, char **argv);

#endif
