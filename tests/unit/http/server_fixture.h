#ifndef TESTS_UNIT_HTTP_SERVER_FIXTURE_H
#define TESTS_UNIT_HTTP_SERVER_FIXTURE_H

/*
 * The real server on the real loop. Clients are plain sockets, read at the end of each turn.
 *
 * The handler answers with the body that came; /keep waits in kept, /large gets 8 MiB, /none 204.
 */

#include "http/server.h"

#include "base/address.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

enum { CLIENTS = 40, KEPT = 30 };

struct client {
	int fd;
	bool closed, reads;
	struct evbuffer *got;
};

extern struct loop *loop;
extern struct http_server *server;
extern struct http_conf conf; /* may be changed before start */
extern struct address at;
extern struct client clients[CLIENTS];
extern size_t n_clients;

extern struct http_request *kept[KEPT];
extern size_t handled, gone,
	ended; /* requests, those of kept that were told, connections */
extern char last
	[64]; /* the last request: its method, path, query and the body's first bytes */

/* For a TestSuite. */
#define SERVER_FIXTURE                                                                   \
	.init = server_fixture_init, .fini = server_fixture_fini, .timeout = 60
void server_fixture_init(void);
void server_fixture_fini(void);

/* Serve, as conf says. */
void start(void);

/* Turn until cond holds, which may look at these. */
void until(bool (*cond)(void));
extern struct client *waits_for;
extern size_t wants_number;

/* The server holds nothing. */
bool is_all_sent(void);

void until_closed(struct client *c);
void until_handled(size_t n);

/* A new client; what it sends, while the server reads. */
struct client *come(void);
void send_span(struct client *c, struct span s);
void send_text(struct client *c, const char *text);

/* One answer: its status; its body into body, which has room for it. */
int answer(struct client *c, char *body, size_t room);
void expect(struct client *c, int status, const char *body);

/* Of one client that sends this. */
void expect_of(const char *request, int status, const char *body);

/* 200, of one that was kept. */
void reply(struct http_request *q, struct span body);

int64_t refused(enum http_refusal of);

#define HOST  "Host: h\r\n"
#define GET   "GET / HTTP/1.1\r\n" HOST "\r\n"
#define KEEP_ "GET /keep HTTP/1.1\r\n" HOST "\r\n"

#endif
