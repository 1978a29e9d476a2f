#ifndef CLI_COMMANDS_TABLES_H
#define CLI_COMMANDS_TABLES_H

/* gatepost tables [export|import FOLDER [NAME...]]: list tables, or write and read them as files. Returns the exit status. */
int tables_run(int argc, char **argv);

#endif
