#ifndef CLI_CLIENT_CLEAN_H
#define CLI_CLIENT_CLEAN_H

/* Print a text that strangers chose: a control character of it reaches the terminal as '?'. NULL prints nothing. */
void clean_print(const char *text);

#endif
