#ifndef CLI_CLIENT_GRID_H
#define CLI_CLIENT_GRID_H

/* Rows of words, printed in aligned columns. */

#include <stddef.h>
#include <stdio.h>

enum { GRID_COLUMNS = 6 };

struct grid {
	char *(*rows)[GRID_COLUMNS];
	size_t n;
};

/* One row more: its words, up to a NULL or to GRID_COLUMNS of them; copied. */
void grid_add(struct grid *g, const char *const words[GRID_COLUMNS]);

/* Print all rows, two blanks before each and between its words, and empty the grid. */
void grid_print(struct grid *g, FILE *out);

#endif
