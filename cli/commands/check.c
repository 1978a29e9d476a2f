#include "cli/commands/check.h"

#include "cli/commands/check_print.h"

#include "base/mem.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BAD_SETTINGS = 2 };

/* What the command line says, and what the file's reader said. */
struct check {
	struct config_options options;
	struct config_pair *opt;
	char *file;
	struct said {
		struct check_info *lines;
		size_t n;
	} infos, errors;
	bool help;
};

static const char usage[] =
	"Usage: gatepost check [FILE] [--stage STAGE] [--opt NAME=VALUE]...\n"
	"Validate a configuration, and list its functions and routes and what is "
	"ignored.\n"
	"If it has mistakes, print them and exit with status 1.\n\n"
	"  FILE               gatepost.yml or serverless.yml; default: the one of this "
	"folder\n"
	"  --stage STAGE      overrides provider.stage; also ${opt:stage}\n"
	"  --opt NAME=VALUE   the value of ${opt:NAME}; may be repeated\n";

static bool read_flags(struct check *k, int argc, char **argv);
static bool add_opt(struct check *k, const char *text);
static void on_say(void *arg, bool is_error, const char *file, int line, int column,
		   const char *text);
static int check(struct check *k);
static void close_check(struct check *k);

int check_run(int argc, char **argv)
{
	struct check k = {.options = {.say = on_say, .arg = &k}};
	int status = BAD_SETTINGS;

	if (read_flags(&k, argc, argv)) {
		k.options.opt = k.opt;
		if (k.help)
			status = fputs(usage, stdout) < 0;
		else
			status = check(&k);
	}
	close_check(&k);
	return status;
}

static bool read_flags(struct check *k, int argc, char **argv)
{
	static const struct option flags[] = {
		{"stage", required_argument, NULL, 's'},
		{"opt", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int flag;

	argv[0] = (char *)"gatepost check"; /* the prefix of getopt's messages */
	optind = 0;
	while ((flag = getopt_long(argc, argv, "h", flags, NULL)) != -1) {
		if (flag == 's')
			k->options.stage = optarg;
		else if (flag == 'h')
			k->help = true;
		else if (flag != 'o' || !add_opt(k, optarg))
			return false;
	}
	if (optind + 1 < argc) {
		fprintf(stderr, "gatepost check: %s: allowed: one file\n",
			argv[optind + 1]);
		return false;
	}
	k->file = optind < argc ? xstrdup(argv[optind]) : config_find(".");
	return true;
}

static bool add_opt(struct check *k, const char *text)
{
	const char *equals = strchr(text, '=');

	if (equals == NULL || equals == text) {
		fprintf(stderr, "gatepost check: --opt %s; allowed: --opt NAME=VALUE\n",
			text);
		return false;
	}
	k->opt = xrealloc(k->opt, (k->options.n_opt + 1) * sizeof *k->opt);
	k->opt[k->options.n_opt++] = (struct config_pair){
		.name = strndup(text, (size_t)(equals - text)),
		.value = xstrdup(equals + 1),
	};
	return true;
}

static void on_say(void *arg, bool is_error, const char *file, int line, int column,
		   const char *text)
{
	struct check *k = arg;
	struct said *s = is_error ? &k->errors : &k->infos;

	s->lines = xrealloc(s->lines, (s->n + 1) * sizeof *s->lines);
	s->lines[s->n++] = (struct check_info){
		.file = xstrdup(file),
		.line = line,
		.at = line ? xasprintf("%s:%d:%d", file, line, column) : xstrdup(file),
		.text = xstrdup(text),
	};
}

static int by_place(const void *a, const void *b)
{
	const struct check_info *x = a, *y = b;
	int files = strcmp(x->file, y->file);

	return files ? files : (x->line > y->line) - (x->line < y->line);
}

static void sort(struct said *s)
{
	if (s->n > 0)
		qsort(s->lines, s->n, sizeof *s->lines, by_place);
}

static int check(struct check *k)
{
	struct config *c;

	if (k->file == NULL) {
		fprintf(stderr, "gatepost check: no gatepost.yml or serverless.yml in "
				"this folder; use gatepost check FILE\n");
		return 1;
	}
	c = config_read(k->file, &k->options);
	sort(&k->infos);
	sort(&k->errors);
	for (size_t i = 0; i < k->errors.n; i++)
		fprintf(stderr, "%s: %s\n", k->errors.lines[i].at,
			k->errors.lines[i].text);
	if (c == NULL)
		return 1;
	check_print(c, k->infos.lines, k->infos.n, stdout);
	config_free(c);
	return 0;
}

static void forget(struct said *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->lines[i].file);
		free(s->lines[i].at);
		free(s->lines[i].text);
	}
	free(s->lines);
}

static void close_check(struct check *k)
{
	for (size_t i = 0; i < k->options.n_opt; i++) {
		free(k->opt[i].name);
		free(k->opt[i].value);
	}
	free(k->opt);
	forget(&k->infos);
	forget(&k->errors);
	free(k->file);
}
