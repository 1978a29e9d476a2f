#include "cli/commands/send.h"

#include "base/mem.h"
#include "cli/client/api.h"
#include "cli/client/input.h"

#include <stdio.h>
#include <stdlib.h>

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

static int send_to(const struct send_conf *conf, const char *id, struct span body)
{
	char *part = api_encode(id), *path = xasprintf("/@connections/%s", part);
	struct api_request r = {"POST", path, body, conf->binary, NULL};
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
	if (!input_read(table.program, words[1], &body, &input))
		return API_FAILED;
	x = send_to(&conf, words[0], body);
	free(input);
	return (int)x;
}
