#ifndef CLI_COMMANDS_TABLE_H
#define CLI_COMMANDS_TABLE_H

/* gatepost table scan|create|delete NAME: a table of the management API. Returns the exit status. */
int table_run(int argc, char **argv);

#endif
