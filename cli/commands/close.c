#include "cli/commands/close.h"

#include "base/mem.h"
#include "cli/client/api.h"

#include <stdio.h>
#include <stdlib.h>

struct close_conf {
	struct api_conf api;
	int64_t code;
	const char *reason;
};

static const struct conf_key keys[] = {
	API_CONF_KEYS(struct close_conf, api),
	CONF_INT(struct close_conf, code, "code", "1000", 1000, 4999,
		 "close code: 1000 to 1003, 1007 to 1014, 3000 to 4999"),
	CONF_TEXT(struct close_conf, reason, "reason", NULL,
		  "close reason, at most 123 bytes"),
};

static const struct conf_table table = {
	"gatepost close",
	"Close one connection:\n\n"
	"  gatepost close ID [--code 4001] [--reason 'token expired']\n\n"
	"Exit status: 0 closed, 3 no such connection, 4 not allowed, 5 retry later, 2 "
	"bad\nusage, 1 other errors.",
	keys,
	sizeof keys / sizeof *keys,
	NULL,
};

static char *path_of(const struct close_conf *conf, const char *id)
{
	char *part = api_encode(id),
	     *reason = api_encode(conf->reason ? conf->reason : "");
	char *path;

	if (conf->code == 1000 && conf->reason == NULL) /* as an SDK would */
		path = xasprintf("/@connections/%s", part);
	else
		path = xasprintf("/@connections/%s?code=%d&reason=%s", part,
				 (int)conf->code, reason);
	free(part);
	free(reason);
	return path;
}

int close_run(int argc, char **argv)
{
	struct close_conf conf;
	const char *id;
	int n = api_words(argc, argv, 1, &id);
	enum err e = conf_load(&table, &conf, argc - n, argv + n);
	struct api_request r = {.method = "DELETE"};
	struct http_reply reply;
	enum api_exit x;
	char *path;

	if (e != OK)
		return e == ERR_EXIT ? API_DONE : API_USAGE;
	if (n < 1) {
		fputs("gatepost close: the ID is missing: gatepost close ID\n", stderr);
		return API_USAGE;
	}
	path = path_of(&conf, id);
	r.path = path;
	x = api_call(&conf.api, table.program, &r, &reply);
	http_reply_free(&reply);
	free(path);
	return (int)x;
}
