/*
 *   subscribe_run     connect to the gateway
 *   subscribe_to      an action for each channel
 *   follow            print what comes, until the server ends it: print_frame
 */
#include "cli/commands/subscribe.h"

#include "base/conf.h"
#include "base/mem.h"
#include "cli/client/api_json.h"
#include "cli/client/ws_client.h"

#include <stdio.h>
#include <stdlib.h>

enum { CHANNELS_MOST = 100, PATIENCE_MS = 10000 };

struct subscribe_conf {
	const char *url, *since, *jwt;
	bool json;
};

static const struct conf_key keys[] = {
	CONF_TEXT(struct subscribe_conf, url, "url", "ws://127.0.0.1:8080/dev",
		  "address of the gateway: ws://host:port/stage"),
	CONF_TEXT(struct subscribe_conf, since, "since", NULL,
		  "EPOCH:OFFSET: first what one channel has had since then"),
	CONF_TEXT(
		struct subscribe_conf, jwt, "jwt", NULL,
		"token for channels that need one; better set in the environment, where "
		"other users cannot see it"),
	CONF_BOOL(struct subscribe_conf, json, "json", "false",
		  "print each frame as it comes"),
};

static const struct conf_table table = {
	"gatepost subscribe",
	"Print the messages of channels as they come, one on a line, until the server "
	"ends it:\n\n"
	"  gatepost subscribe CHANNEL...\n\n"
	"A line has channel, offset and data. All else that comes is said on stderr.\n\n"
	"Exit status: 4 not allowed, 5 retry later, 2 bad usage, 1 the connection has "
	"ended,\nor other errors.",
	keys,
	sizeof keys / sizeof *keys,
	NULL,
};

static bool subscribe_to(struct ws_client *c, const struct subscribe_conf *conf,
			 const char *channel);
static enum api_exit follow(struct ws_client *c, const struct subscribe_conf *conf);

static enum api_exit fail(enum api_exit x, const char *what, const char *why)
{
	fprintf(stderr, "%s: %s%s\n", table.program, what, why);
	return x;
}

static enum api_exit subscribe(const struct subscribe_conf *conf, const char **channels,
			       int n)
{
	enum api_exit x = API_FAILED;
	int status;
	struct ws_client *c =
		ws_client_open(conf->url, table.program, PATIENCE_MS, &status);

	if (c == NULL && status == 0)
		return fail(x, "no response from ", conf->url);
	if (c == NULL) {
		fprintf(stderr, "%s: %s refused the connection (HTTP status %d)\n",
			table.program, conf->url, status);
		return status == 401 || status == 403 ? API_DENIED
		       : status == 503                ? API_LATER
						      : API_FAILED;
	}
	for (int i = 0; i < n; i++)
		if (!subscribe_to(c, conf, channels[i])) {
			ws_client_free(c);
			return fail(x, "the connection has ended", "");
		}
	x = follow(c, conf);
	ws_client_free(c);
	return x;
}

int subscribe_run(int argc, char **argv)
{
	struct subscribe_conf conf;
	const char *channels[CHANNELS_MOST];
	int n = api_words(argc, argv, CHANNELS_MOST, channels);
	enum err e = conf_load(&table, &conf, argc - n, argv + n);
	const char *colon = e == OK && conf.since ? strrchr(conf.since, ':') : NULL;

	if (e != OK)
		return e == ERR_EXIT ? API_DONE : API_USAGE;
	if (n == 0)
		return (int)fail(API_USAGE,
				 "CHANNEL is missing: ", "gatepost subscribe CHANNEL...");
	if (conf.since && n > 1)
		return (int)fail(API_USAGE, "--since is for one channel: ",
				 "a position belongs to its channel");
	if (conf.since && (colon == NULL || colon == conf.since || colon[1] == '\0' ||
			   colon[1 + strspn(colon + 1, "0123456789")] != '\0'))
		return (int)fail(API_USAGE, "--since is not EPOCH:OFFSET: ", conf.since);
	return (int)subscribe(&conf, channels, n);
}

/* ---- to the server ---- */

/* conf->since has been checked. */
static json_t *since_of(const struct subscribe_conf *conf)
{
	const char *colon = strrchr(conf->since, ':');

	return json_pack("{s:s%, s:I}", "epoch", conf->since,
			 (size_t)(colon - conf->since), "offset",
			 (json_int_t)strtoll(colon + 1, NULL, 10));
}

static bool subscribe_to(struct ws_client *c, const struct subscribe_conf *conf,
			 const char *channel)
{
	json_t *action =
		json_pack("{s:s, s:s}", "action", "subscribe", "channel", channel);
	char *text;
	enum err e;

	if (conf->since)
		json_object_set_new(action, "since", since_of(conf));
	if (conf->jwt)
		json_object_set_new(action, "token", json_string(conf->jwt));
	text = json_dumps(action, JSON_COMPACT); /* NULL: a word that is not UTF-8 */
	e = text ? ws_client_send(c, WS_TEXT, span_str(text)) : ERR_MALFORMED;
	free(text);
	json_decref(action);
	return e == OK;
}

/* ---- and back ---- */

static enum api_exit exit_of(const struct json_value *error)
{
	char *code = view_text(error, "code");
	enum api_exit x = view_is_true(error, "retryable") ? API_LATER
			  : strcmp(code, "forbidden") == 0 ? API_DENIED
			  : strcmp(code, "internal") == 0  ? API_FAILED
							   : API_USAGE;

	free(code);
	return x;
}

static void print_message(const struct json_value *frame)
{
	struct json_value channel = view_member(frame, "channel");
	struct json_value offset = view_member(frame, "offset");
	struct json_value data = view_member(frame, "data");

	if (data.kind == JSON_IS_MISSING)
		data = view_member(frame, "data64");
	view_print(&channel);
	fputs("  ", stdout);
	if (offset.kind == JSON_IS_NUMBER)
		view_print(&offset);
	else
		putchar('-');
	fputs("  ", stdout);
	view_print(&data);
	putchar('\n');
}

/* What is not a message: said on stderr, unless all is printed as it comes. */
static void say(const struct json_value *frame, const char *type)
{
	char *channel = view_text(frame, "channel"), *reason = view_text(frame, "reason");

	if (strcmp(type, "reset") == 0)
		fprintf(stderr, "%s: messages of %s are missing here: %s\n",
			table.program, channel, reason);
	else if (strcmp(type, "unsubscribed") == 0)
		fprintf(stderr, "%s: unsubscribed from %s: %s\n", table.program, channel,
			reason);
	else if (view_is_false(frame, "recovered"))
		fprintf(stderr,
			"%s: what %s has had since then is not complete any more\n",
			table.program, channel);
	free(channel);
	free(reason);
}

static enum api_exit refuse(const struct json_value *error)
{
	char *message = view_text(error, "message");
	enum api_exit x = exit_of(error);

	fail(x, "", message);
	free(message);
	return x;
}

/* One text message. A channel of format raw has no frames: it is the data. */
static enum api_exit print_frame(const struct subscribe_conf *conf, struct span text)
{
	struct json_value frame = {.kind = JSON_IS_MISSING};
	bool is_object = view_open(text, &frame);
	char *type = is_object ? view_text(&frame, "type") : xstrdup("");
	enum api_exit x = API_DONE;

	if (strcmp(type, "error") == 0) {
		x = refuse(&frame);
	} else if (conf->json || *type == '\0') {
		frame.raw = text;
		view_print_line(&frame);
	} else if (strcmp(type, "message") == 0) {
		print_message(&frame);
	} else {
		say(&frame, type);
	}
	fflush(stdout);
	free(type);
	return x;
}

/* Of format raw, too. */
static void print_binary(struct span body)
{
	printf("(binary, %zu bytes)\n", body.n);
	fflush(stdout);
}

static enum api_exit follow(struct ws_client *c, const struct subscribe_conf *conf)
{
	enum api_exit x = API_DONE;
	struct ws_message m = {.kind = WS_TEXT};
	enum err e = OK;

	ws_client_wait(c);
	while (x == API_DONE && (e = ws_client_take(c, &m)) == OK && m.kind != WS_CLOSE)
		if (m.kind == WS_TEXT)
			x = print_frame(conf, m.body);
		else
			print_binary(m.body);
	if (x != API_DONE)
		return x;
	if (e != OK)
		return fail(API_FAILED, "the connection has ended", "");
	fprintf(stderr, "%s: the server closed the connection: %u %.*s\n", table.program,
		m.close_code, SPAN_ARG(m.body));
	return API_FAILED;
}
