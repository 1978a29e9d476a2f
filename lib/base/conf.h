#ifndef BASE_CONF_H
#define BASE_CONF_H

/*
 * Settings: a struct of typed fields, and one table that is default, limits, unit,
 * --help and manual at once. A flag beats the environment beats the file beats the
 * default:
 *
 *   --max-message 64KiB    GATEPOST_MAX_MESSAGE=64KiB    max-message = 64KiB
 *
 * The file is what --settings (or GATEPOST_SETTINGS) names: `name = value` lines,
 * blank lines, and # comments. An empty variable is as good as none. No code reads the
 * environment anywhere else.
 */

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum conf_type {
	CONF_IS_TEXT,   /* const char *; the default may be NULL: not set */
	CONF_IS_INT,    /* int64_t, least..most */
	CONF_IS_BYTES,  /* int64_t; 4096, 64KiB, 16MiB, 1GiB */
	CONF_IS_MSEC,   /* int64_t; 250ms, 25s, 5m, 2h; of bare numbers 0 alone */
	CONF_IS_BOOL,   /* bool; true, false; as a flag also alone */
	CONF_IS_CHOICE, /* int64_t, index of the word among `choices` */
};

struct conf_key {
	const char *name; /* "max-message" */
	enum conf_type type;
	size_t offset;
	const char *
		fallback; /* the default, as one would write it; NULL for a text that may be unset */
	int64_t least, most;
	const char *choices; /* "text|json" */
	const char *help;    /* one line for --help and the manual */
};

#define CONF_TEXT(st, f, name, dflt, help)                                               \
	{                                                                                \
		name, CONF_IS_TEXT, offsetof(st, f), dflt, 0, 0, NULL, help              \
	}
#define CONF_INT(st, f, name, dflt, least, most, help)                                   \
	{                                                                                \
		name, CONF_IS_INT, offsetof(st, f), dflt, least, most, NULL, help        \
	}
#define CONF_BYTES(st, f, name, dflt, least, most, help)                                 \
	{                                                                                \
		name, CONF_IS_BYTES, offsetof(st, f), dflt, least, most, NULL, help      \
	}
#define CONF_MSEC(st, f, name, dflt, least, most, help)                                  \
	{                                                                                \
		name, CONF_IS_MSEC, offsetof(st, f), dflt, least, most, NULL, help       \
	}
#define CONF_BOOL(st, f, name, dflt, help)                                               \
	{                                                                                \
		name, CONF_IS_BOOL, offsetof(st, f), dflt, 0, 0, NULL, help              \
	}
#define CONF_CHOICE(st, f, name, dflt, choices, help)                                    \
	{                                                                                \
		name, CONF_IS_CHOICE, offsetof(st, f), dflt, 0, 0, choices, help         \
	}

/* A row whose text is right for its type, and still cannot be. */
struct conf_wrong {
	const char *name; /* of the row */
	bool is_secret;   /* its text is not to be shown */
	char why[256];    /* what is allowed */
};

/* For a check: report a mistake in the row of that name. Returns false, for the check to return. */
bool conf_refuse(struct conf_wrong *out, const char *name, const char *why);

/* Look at the struct when all of it is filled; false, and out filled, when a row of it is wrong. */
typedef bool conf_check_fn(const void *conf, struct conf_wrong *out);

struct conf_table {
	const char *program; /* "gatepost-edge" */
	const char *purpose; /* one line under the usage */
	const struct conf_key *keys;
	size_t n;
	conf_check_fn *check; /* NULL: the rows' types are enough */
};

/*
 * Fill the struct at out from all four sources.
 *
 * argv     argv[0] is not read; flags are `--name value` or `--name=value`; the last of a name wins
 * returns  OK; ERR_EXIT after --help, --man or --version were printed to stdout (exit 0);
 *          ERR_MALFORMED after a line on stderr that says which row, where it came
 *          from and what is allowed (exit 2)
 * owns     texts live as long as the process
 */
must_use enum err conf_load(const struct conf_table *t, void *out, int argc, char **argv);

/* Another default for a row: of a profile, or of a machine with less memory. */
struct conf_default {
	const char *name;     /* of the row; it must exist */
	const char *fallback; /* as one would write it; borrowed for the call */
};

/* The same with other defaults for n rows; of two for one row the last counts. --help and --man print the table's own. */
must_use enum err conf_load_with(const struct conf_table *t,
				 const struct conf_default *defaults, size_t n, void *out,
				 int argc, char **argv);

/*
 * Read one row from its text, as conf_load would.
 *
 * returns  OK, or ERR_MALFORMED with a sentence in why (of at most n bytes)
 */
must_use enum err conf_set(const struct conf_key *k, void *out, const char *text,
			   char *why, size_t n);

/* Print --help. */
void conf_help(const struct conf_table *t, FILE *out);

/* Print all rows as man(7) source (.TP items), for the manual pages. */
void conf_man(const struct conf_table *t, FILE *out);

#endif
