#include "cli/client/grid.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void grid_add(struct grid *g, const char *const words[GRID_COLUMNS])
{
	g->rows = xrealloc(g->rows, (g->n + 1) * sizeof *g->rows);
	memset(g->rows[g->n], 0, sizeof *g->rows);
	for (size_t i = 0; i < GRID_COLUMNS && words[i]; i++)
		g->rows[g->n][i] = xstrdup(words[i]);
	g->n++;
}

/* Characters, not bytes: those that begin one. */
static size_t width_of(const char *word)
{
	size_t n = 0;

	for (; word && *word; word++)
		n += (*word & 0xc0) != 0x80;
	return n;
}

/* No blanks at the end of a line. */
static size_t words_in(char *const row[GRID_COLUMNS])
{
	size_t n = GRID_COLUMNS;

	while (n > 0 && width_of(row[n - 1]) == 0)
		n--;
	return n;
}

static void print_row(char *const row[GRID_COLUMNS], const size_t *widths, FILE *out)
{
	size_t n = words_in(row);

	for (size_t i = 0; i < n; i++) {
		const char *word = row[i] ? row[i] : "";
		size_t pad = i + 1 < n ? widths[i] - width_of(word) : 0;

		fprintf(out, "  %s%*s", word, (int)pad, "");
	}
	fputc('\n', out);
}

void grid_print(struct grid *g, FILE *out)
{
	size_t widths[GRID_COLUMNS] = {0};

	for (size_t k = 0; k < g->n; k++)
		for (size_t i = 0; i < GRID_COLUMNS; i++)
			if (width_of(g->rows[k][i]) > widths[i])
				widths[i] = width_of(g->rows[k][i]);
	for (size_t k = 0; k < g->n; k++) {
		print_row(g->rows[k], widths, out);
		for (size_t i = 0; i < GRID_COLUMNS; i++)
			free(g->rows[k][i]);
	}
	free(g->rows);
	*g = (struct grid){0};
}
