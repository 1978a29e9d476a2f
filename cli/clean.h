#ifndef CLI_CLEAN_H
#define CLI_CLEAN_H

/* Print a text that strangers chose: a control character of it reaches the terminal as '?'. NULL prints nothing. */
void clean_print(const char *text);

#endif
