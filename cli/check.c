#include "cli/check.h"

#include "cli/check_print.h"

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
	struct check_info *infos;
	size_t n_infos;
	bool help;
};

static const char usage[] =
	"Usage: gatepost check [FILE] [--stage STAGE] [--opt NAME=VALUE]...\n"
	"Read a configuration, and say what Gatepost would do, function by function and\n"
	"route by route; or what is wrong with it, with exit status 1.\n\n"
	"  FILE               gatepost.yml or serverless.yml; default: the one of this "
	"folder\n"
	"  --stage STAGE      instead of the file's provider.stage; also ${opt:stage}\n"
	"  --opt NAME=VALUE   what ${opt:NAME} is; may come again\n";

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

	argv[0] = (char *)"gatepost check"; /* what getopt's sentences begin with */
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

/* Mistakes at once; the rest when all is printed that it belongs to. */
static void on_say(void *arg, bool is_error, const char *file, int line, int column,
		   const char *text)
{
	struct check *k = arg;
	char *at = line ? xasprintf("%s:%d:%d", file, line, column) : xstrdup(file);

	if (is_error) {
		fprintf(stderr, "%s: %s\n", at, text);
		free(at);
		return;
	}
	k->infos = xrealloc(k->infos, (k->n_infos + 1) * sizeof *k->infos);
	k->infos[k->n_infos++] =
		(struct check_info){.line = line, .at = at, .text = xstrdup(text)};
}

static int by_line(const void *a, const void *b)
{
	const struct check_info *x = a, *y = b;

	return (x->line > y->line) - (x->line < y->line);
}

static int check(struct check *k)
{
	struct config *c;

	if (k->file == NULL) {
		fprintf(stderr, "gatepost check: there is no gatepost.yml and no "
				"serverless.yml in this folder; gatepost check FILE\n");
		return 1;
	}
	c = config_read(k->file, &k->options);
	if (c == NULL)
		return 1;
	if (k->n_infos > 0)
		qsort(k->infos, k->n_infos, sizeof *k->infos, by_line);
	check_print(c, k->infos, k->n_infos, stdout);
	config_free(c);
	return 0;
}

static void close_check(struct check *k)
{
	for (size_t i = 0; i < k->options.n_opt; i++) {
		free(k->opt[i].name);
		free(k->opt[i].value);
	}
	for (size_t i = 0; i < k->n_infos; i++) {
		free(k->infos[i].at);
		free(k->infos[i].text);
	}
	free(k->opt);
	free(k->infos);
	free(k->file);
}
