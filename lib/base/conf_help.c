/* What a table of settings looks like to people: --help and the manual page. */
#include "base/conf.h"

#include "base/conf_value.h"

#include <string.h>

static const struct conf_key extra[] = {
	{"settings", CONF_IS_TEXT, 0, NULL, 0, 0, NULL,
	 "file of `name = value` lines; # begins a comment"},
};

static void help_row(const struct conf_key *k, FILE *out)
{
	char allowed[256];

	fprintf(out, "  --%s %s\n      %s\n", k->name, conf_value_kind(k), k->help);
	if (k->type == CONF_IS_TEXT)
		fprintf(out, "      default: %s\n",
			k->fallback ? k->fallback : "not set");
	else
		fprintf(out, "      default: %s; allowed: %s\n", k->fallback,
			conf_value_allowed(k, allowed, sizeof allowed));
}

void conf_help(const struct conf_table *t, FILE *out)
{
	fprintf(out, "Usage: %s [--NAME VALUE | --NAME=VALUE]...\n%s\n\nSettings:\n",
		t->program, t->purpose);
	for (size_t i = 0; i < t->n; i++)
		help_row(&t->keys[i], out);
	help_row(extra, out);
	fprintf(out, "  --help, --version\n      print this, or the version, and exit\n\n"
		     "A flag beats the environment (GATEPOST_MAX_MESSAGE=64KiB for "
		     "--max-message 64KiB)\n"
		     "beats the file (max-message = 64KiB) beats the default.\n");
}

/* As roff source: hyphens that are to be copied, and no line that looks like a request. */
static void roff(const char *text, FILE *out)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (; *text; text++) {
		if (*text == '-')
			fputs("\\-", out);
		else if (*text == '\\')
			fputs("\\e", out);
		else
			fputc(*text, out);
	}
}

static void man_row(const struct conf_key *k, FILE *out)
{
	char allowed[256];

	fputs(".TP\n\\fB\\-\\-", out);
	roff(k->name, out);
	fputs("\\fR \\fI", out);
	roff(conf_value_kind(k), out);
	fputs("\\fR\n", out);
	roff(k->help, out);
	fputs(".\nDefault: ", out);
	roff(k->fallback ? k->fallback : "not set", out);
	if (k->type != CONF_IS_TEXT) {
		fputs("; allowed: ", out);
		roff(conf_value_allowed(k, allowed, sizeof allowed), out);
	}
	fputs(".\n", out);
}

void conf_man(const struct conf_table *t, FILE *out)
{
	for (size_t i = 0; i < t->n; i++)
		man_row(&t->keys[i], out);
	man_row(extra, out);
}
