#include "cli/commands/health.h"

#include "base/mem.h"
#include "cli/client/api.h"

#include <stdio.h>
#include <stdlib.h>

enum { STATUS_OK = 200 };

struct health_conf {
	const char *metrics;
	bool live;
};

static const struct conf_key keys[] = {
	CONF_TEXT(struct health_conf, metrics, "metrics", "127.0.0.1:9101",
		  "--metrics of the edge or the broker that is asked"),
	CONF_BOOL(struct health_conf, live, "live", "false", "ask for /livez"),
};

static const struct conf_table table = {
	"gatepost health",
	"Is an edge or a broker ready? For images without a shell:\n\n"
	"  gatepost health [URL]\n\n"
	"Asks for /readyz at --metrics, or for the URL, and prints the answer. In a\n"
	"container, GATEPOST_METRICS is that of the process itself.\n"
	"Exit status: 0 ready, 1 not ready or unreachable, 2 bad usage.",
	keys,
	sizeof keys / sizeof *keys,
	NULL,
};

static int ask(const char *url)
{
	struct http_reply reply;
	int status = API_FAILED;

	if (http_call("GET", url, NULL, &reply) != OK) {
		fprintf(stderr, "%s: no answer from %s\n", table.program, url);
	} else {
		fputs(reply.body, stdout);
		status = reply.status == STATUS_OK ? API_DONE : API_FAILED;
	}
	http_reply_free(&reply);
	return status;
}

int health_run(int argc, char **argv)
{
	struct health_conf conf;
	const char *url = NULL;
	int n = api_words(argc, argv, 1, &url);
	enum err e = conf_load(&table, &conf, argc - n, argv + n);
	char *own;
	int status;

	if (e != OK)
		return e == ERR_EXIT ? API_DONE : API_USAGE;
	if (n == 1)
		return ask(url);
	own = xasprintf("http://%s/%s", conf.metrics, conf.live ? "livez" : "readyz");
	status = ask(own);
	free(own);
	return status;
}
