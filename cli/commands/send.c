#include "cli/commands/send.h"

#include "base/mem.h"
#include "cli/client/api.h"

#include <stdio.h>
#include <stdlib.h>

enum { INPUT_MOST = 16 * 1024 * 1024, STEP = 64 * 1024 };

struct send_conf {
	struct api_conf api;
	bool binary;
};

static const struct conf_key keys[] = {
	API_CONF_KEYS(struct send_conf, api),
	CONF_BOOL(struct send_conf, binary, "binary", "false",
		  "send a binary message, also if it is UTF-8"),
};

static const struct conf_table table = {
	"gatepost send",
	"Push to one connection:\n\n"
	"  gatepost send ID TEXT    the text\n"
	"  gatepost send ID -       stdin, at most 16 MiB\n\n"
	"Exit status: 0 sent, 3 no such connection, 4 not allowed, 5 retry later, 2 "
	"bad\nusage, 1 other errors.",
	keys,
	sizeof keys / sizeof *keys,
	NULL,
};

/* All of stdin, freed with free(3); NULL after a line on stderr. */
static uint8_t *read_input(size_t *n)
{
	uint8_t *all = NULL;
	size_t got;

	*n = 0;
	do {
		all = xrealloc(all, *n + STEP);
		got = fread(all + *n, 1, STEP, stdin);
		*n += got;
	} while (got > 0 && *n <= INPUT_MOST);
	if (*n <= INPUT_MOST && !ferror(stdin))
		return all;
	fprintf(stderr, "gatepost send: stdin %s\n",
		ferror(stdin) ? "cannot be read" : "has more than 16 MiB");
	free(all);
	return NULL;
}

static int send_to(const struct send_conf *conf, const char *id, struct span body)
{
	char *part = api_encode(id), *path = xasprintf("/@connections/%s", part);
	struct api_request r = {"POST", path, body, conf->binary};
	struct http_reply reply;
	enum api_exit x = api_call(&conf->api, table.program, &r, &reply);

	http_reply_free(&reply);
	free(path);
	free(part);
	return (int)x;
}

int send_run(int argc, char **argv)
{
	struct send_conf conf;
	const char *words[2];
	int n = api_words(argc, argv, 2, words);
	enum err e = conf_load(&table, &conf, argc - n, argv + n);
	uint8_t *input = NULL;
	struct span body;
	int x;

	if (e != OK)
		return e == ERR_EXIT ? API_DONE : API_USAGE;
	if (n < 2) {
		fputs("gatepost send: ID or TEXT is missing: gatepost send ID TEXT\n",
		      stderr);
		return API_USAGE;
	}
	body = span_str(words[1]);
	if (strcmp(words[1], "-") == 0) {
		input = read_input(&body.n);
		if (input == NULL)
			return API_FAILED;
		body.p = input;
	}
	x = send_to(&conf, words[0], body);
	free(input);
	return (int)x;
}
