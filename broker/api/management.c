/*
 * One request: may its sender ask? → router_route, or tables_api_request
 */
#include "broker/api/management.h"

#include "base/address.h"
#include "base/log.h"
#include "base/mem.h"
#include "broker/api/answer.h"
#include "broker/api/router.h"
#include "broker/api/table_access.h"
#include "broker/api/tables.h"
#include "http/sender.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	ADDRESSES_MOST = 8,
	BODY_OPEN = 16 * 1024 * 1024,
	HEAD_MOST = 64 * 1024,
};

struct management {
	struct http_server *http;
	struct auth *auth;
	struct router router;
	struct tables_api *tables;
	uint64_t body_most; /* of other requests than those for tables */
	struct routes *(*routes)(void *arg);
	void *routes_arg;
	size_t connections;
	char *addresses;
	char *hosts; /* what Host may be without authentication, beside loopback */
};

static bool listen_all(struct management *m, const char *addresses);
static void on_request(void *arg, struct http_request *q);
static size_t on_refusal(void *arg, int status, const char *why,
			 struct response_header *out);
static void on_full(void *arg);
static uint64_t limit_body(void *arg, struct http_request *q);

/* ---- life ---- */

/*
 * base64 and escapes make a message of a bulk longer, and its ids come on top. Some
 * more is read, so that the reply can be AWS's error for a large body; before
 * authentication, no more than that.
 */
static uint64_t body_most(const struct management_conf *conf)
{
	return 2 * conf->max_post + 64 * conf->max_bulk +
	       (conf->auth.mode == AUTH_NONE ? BODY_OPEN : HEAD_MOST);
}

static int64_t ask_connections(void *arg)
{
	return (int64_t)http_connections(((struct management *)arg)->http);
}

static int64_t ask_waiting(void *arg)
{
	return (int64_t)http_waiting(((struct management *)arg)->http);
}

static int64_t ask_held(void *arg)
{
	return (int64_t)http_held(((struct management *)arg)->http);
}

static void count(struct management *m, struct metrics *metrics)
{
	metric_asked_gauge(metrics, "gatepost_broker_management_connections", NULL,
			   "Connections to the management API", ask_connections, m);
	metric_asked_gauge(metrics, "gatepost_broker_management_requests", NULL,
			   "Its requests that wait for an edge or the store", ask_waiting,
			   m);
	metric_asked_gauge(
		metrics, "gatepost_broker_management_bytes", NULL,
		"Bytes of its requests, and of responses that are not read yet", ask_held,
		m);
}

static struct http_server *serve(struct management *m, const struct management_conf *conf,
				 const struct management_uses *uses)
{
	struct http_conf http = {
		.connections = conf->connections,
		.requests = conf->requests,
		.memory = conf->memory,
		.max_head = HEAD_MOST,
		.max_body = m->body_most > TABLES_BODY ? m->body_most : TABLES_BODY,
		.limit = limit_body,
		.timeout_ms = conf->timeout_ms,
		.half_close = true,
		.refusal = on_refusal,
		.full = on_full,
	};

	http_count_refusals(uses->metrics, "gatepost_broker_management_refused_total",
			    "What the management API refused or closed at its limits",
			    http.refused);
	return http_server_new(uses->loop, &http, on_request, m);
}

struct management *management_new(const struct management_conf *conf,
				  const struct management_uses *uses)
{
	struct management *m = xcalloc(1, sizeof *m);

	m->connections = conf->connections;
	m->addresses = xstrdup("");
	m->hosts = conf->hosts ? xasprintf("%s,%s", conf->addresses, conf->hosts)
			       : xstrdup(conf->addresses);
	m->body_most = body_most(conf);
	m->tables = tables_api_new(uses->tables);
	m->routes = uses->channels.routes;
	m->routes_arg = uses->channels.arg;
	m->http = serve(m, conf, uses);
	m->router = (struct router){
		.http = m->http,
		.commands = uses->commands,
		.limits = {.max_post = conf->max_post, .max_bulk = conf->max_bulk},
		.list = list_new(uses->store, m->http),
		.disconnects = disconnects_new(uses->store),
		.channels = channel_api_new(&uses->channels, conf->max_bulk),
		.stage = uses->stage,
		.arg = uses->arg,
	};
	m->auth = auth_new(uses->loop, &conf->auth);
	if (m->auth == NULL || !listen_all(m, conf->addresses)) {
		management_free(m);
		return NULL;
	}
	count(m, uses->metrics);
	return m;
}

static bool refuse_address(const char *text, const char *why)
{
	log_error("management.failed", S("management", text), S("why", why),
		  S("hint", "set --management to free addresses, such as 127.0.0.1:8081; "
			    "addresses other than loopback need --management-auth"));
	return false;
}

static bool listen_on(struct management *m, const char *text)
{
	struct address a, at;
	char bound[ADDRESS_TEXT];
	char *all;
	int fd;

	if (address_parse(text, &a) != OK)
		return refuse_address(text, "not an address");
	if (auth_is_open(m->auth) && !address_is_loopback(&a))
		return refuse_address(
			text,
			"without authentication only loopback addresses are allowed");
	fd = address_listen(&a, true, &at);
	if (fd < 0)
		return refuse_address(text, strerror(errno));
	http_server_listen(m->http, fd);
	all = xasprintf("%s%s%s", m->addresses, m->addresses[0] ? "," : "",
			address_text((struct sockaddr *)&at.sa, bound));
	free(m->addresses);
	m->addresses = all;
	return true;
}

static bool listen_all(struct management *m, const char *addresses)
{
	char *copy = xstrdup(addresses), *rest = copy;
	int n = 0;
	bool ok = true;

	for (char *one; ok && (one = strsep(&rest, ",")) != NULL;)
		ok = n++ < ADDRESSES_MOST ? listen_on(m, one)
					  : refuse_address(one, "more than 8 addresses");
	free(copy);
	return ok;
}

void management_free(struct management *m)
{
	if (m == NULL)
		return;
	http_server_free(m->http);
	tables_api_free(m->tables);
	list_free(m->router.list);
	disconnects_free(m->router.disconnects);
	channel_api_free(m->router.channels);
	auth_free(m->auth);
	free(m->addresses);
	free(m->hosts);
	free(m);
}

const char *management_addresses(const struct management *m)
{
	return m->addresses;
}

/* ---- what the server refuses by itself ---- */

static size_t on_refusal(void *arg, int status, const char *why,
			 struct response_header *out)
{
	(void)arg;
	log_info_flood("management.refused", I("status", status), S("why", why));
	out[0] = HTTP_HEADER("x-amzn-ErrorType", answer_type(status));
	return 1;
}

static void on_full(void *arg)
{
	const struct management *m = arg;

	log_warn_flood("management.full", I("connections", m->connections),
		       S("hint", "check the callers; raise --management-connections, or "
				 "add brokers"));
}

/* ---- requests ---- */

static uint64_t limit_body(void *arg, struct http_request *q)
{
	const struct management *m = arg;

	return tables_api_is_for(q) ? TABLES_BODY : m->body_most;
}

/* Without authentication a web page must not be able to ask. False: why says it. */
static bool is_right_sender(struct management *m, const struct http_request *q,
			    char why[SENDER_WHY])
{
	const struct sender_hosts hosts = {
		m->hosts, "name it in --management-hosts, or set --management-auth"};
	char peer[ADDRESS_TEXT];

	if (!auth_is_open(m->auth) || sender_check(&q->head, &hosts, why) == OK)
		return true;
	log_warn_flood("management.denied",
		       S("peer", address_host(http_connection_peer(q->connection), peer)),
		       S("why", "ForbiddenException"), S("message", why));
	return false;
}

/* Answers by itself, and returns false. */
static bool may_ask(struct management *m, struct http_request *q)
{
	char why[SENDER_WHY];
	struct auth_refusal no;
	struct auth_caller who;

	if (auth_check(m->auth, q, "execute-api", &who, &no) !=
	    OK) { /* management.denied */
		answer_refusal(q, no.status, no.type, no.message);
		return false;
	}
	if (is_right_sender(m, q, why))
		return true;
	answer_refusal_logged(q, 403, "ForbiddenException", why);
	return false;
}

/* For the function whose worker it is, as far as that is known. */
static void ask_tables_as(struct management *m, struct http_request *q,
			  const char *function)
{
	struct span named = tables_api_function(q);
	char *name = NULL;
	struct tables_caller caller = {.may = table_access_may};

	if (function == NULL && named.n > 0 && auth_is_open(m->auth))
		function = name = span_dup(named);
	caller.name = function;
	caller.arg = table_access_new(m->routes(m->routes_arg), function);
	tables_api_request(m->tables, q, &caller);
	table_access_free(caller.arg); /* it is asked inside alone */
	free(name);
}

static void ask_tables(struct management *m, struct http_request *q)
{
	static const struct tables_caller everybody = {0};
	struct auth_caller who;
	struct auth_refusal no;
	char why[SENDER_WHY];

	if (span_is(q->head.method, "GET")) { /* whether it is there at all */
		tables_api_request(m->tables, q, &everybody);
	} else if (auth_check(m->auth, q, "dynamodb", &who, &no) != OK) {
		tables_api_refuse(m->tables, q, no.type, no.message);
	} else if (!is_right_sender(m, q, why)) {
		tables_api_refuse(m->tables, q, "AccessDeniedException", why);
	} else {
		ask_tables_as(m, q, who.function);
	}
}

static void on_request(void *arg, struct http_request *q)
{
	struct management *m = arg;

	if (tables_api_is_for(q))
		ask_tables(m, q);
	else if (may_ask(m, q))
		router_route(&m->router, q);
}
