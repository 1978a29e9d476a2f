#include "fixture.h"

#include "base/address.h"
#include "base/clock.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DEADLINE_MS = 10000 };

struct fixture fixture;

static void on_turn_end(void *arg)
{
	(void)arg;
	loop_stop(fixture.loop);
}

static void on_tick(void *arg)
{
	(void)arg;
}

static const char *stage(void *arg)
{
	return arg;
}

void fixture_init(void)
{
	fixture.loop = loop_new();
	fixture.metrics = metrics_new();
	loop_at_turn_end(fixture.loop, on_turn_end, NULL);
	fixture.tick = timer_new(fixture.loop, on_tick, NULL);
	timer_every(fixture.tick, 1);
	fixture.conf = (struct management_conf){.addresses = "127.0.0.1:0",
						.connections = 20,
						.requests = 10,
						.memory = 1 << 20,
						.timeout_ms = 10000,
						.max_post = 1000,
						.max_bulk = 5};
}

void fixture_fini(void)
{
	management_free(fixture.management);
	for (size_t i = 0; i < fixture.n_clients; i++) {
		if (fixture.clients[i].fd >= 0)
			close(fixture.clients[i].fd);
		evbuffer_free(fixture.clients[i].got);
	}
	timer_free(fixture.tick);
	metrics_free(fixture.metrics);
	loop_free(fixture.loop);
}

void fixture_start(void)
{
	fixture.management = management_new(
		&fixture.conf, &(struct management_uses){.loop = fixture.loop,
							 .metrics = fixture.metrics,
							 .store = &fake_store,
							 .commands = &fake_commands,
							 .channels = fake_channels_uses(),
							 .stage = stage,
							 .arg = (void *)"dev"});
	cr_assert_not_null(fixture.management);
}

void fixture_turn(void)
{
	for (int i = 0; i < 10; i++)
		loop_run(fixture.loop);
}

static void until(const size_t *count, size_t n)
{
	int64_t end = clock_ms() + DEADLINE_MS;

	while (*count < n) {
		cr_assert(clock_ms() < end, "it is not asked for");
		loop_run(fixture.loop);
	}
	cr_assert_eq(*count, n);
}

void fixture_until_commands(size_t n)
{
	until(&fake_commands.n, n);
}

void fixture_until_questions(size_t n)
{
	until(&fake_store.n, n);
}

void fixture_until_publications(size_t n)
{
	until(&fake_channels.n_publications, n);
}

void fixture_until_reads(size_t n)
{
	until(&fake_channels.n_reads, n);
}

void fixture_until_actions(size_t n)
{
	until(&fake_channels.n_actions, n);
}

/* ---- clients ---- */

struct client *client_at(size_t number)
{
	struct client *c = &fixture.clients[fixture.n_clients++];
	char *all = xstrdup(management_addresses(fixture.management)), *rest = all;
	const char *one = strsep(&rest, ",");
	struct address a;

	cr_assert(fixture.n_clients <= sizeof fixture.clients / sizeof *c);
	for (size_t i = 0; i < number; i++)
		one = strsep(&rest, ",");
	cr_assert_eq(address_parse(one, &a), OK);
	*c = (struct client){.fd = socket(a.sa.ss_family, SOCK_STREAM, 0),
			     .got = evbuffer_new()};
	cr_assert_eq(connect(c->fd, (struct sockaddr *)&a.sa, a.n), 0);
	fcntl(c->fd, F_SETFL, O_NONBLOCK);
	free(all);
	return c;
}

struct client *client_new(void)
{
	return client_at(0);
}

void client_send(struct client *c, const char *text)
{
	size_t n = strlen(text), sent = 0;
	int64_t end = clock_ms() + DEADLINE_MS;

	while (sent < n) {
		ssize_t some = send(c->fd, text + sent, n - sent, MSG_NOSIGNAL);

		cr_assert(some > 0 || errno == EAGAIN);
		cr_assert(clock_ms() < end, "it is not read");
		sent += some > 0 ? (size_t)some : 0;
		loop_run(fixture.loop);
	}
}

void client_ask(struct client *c, const char *method, const char *target,
		const char *headers, const char *body)
{
	char *text = xasprintf("%s %s HTTP/1.1\r\nHost: localhost\r\n%s"
			       "Content-Length: %zu\r\n\r\n%s",
			       method, target, headers, strlen(body), body);

	client_send(c, text);
	free(text);
}

static void read_some(struct client *c)
{
	char bytes[4096];
	ssize_t n;

	while (!c->is_closed && (n = recv(c->fd, bytes, sizeof bytes, 0)) >= 0) {
		c->is_closed = n == 0;
		evbuffer_add(c->got, bytes, (size_t)n);
	}
	if (!c->is_closed && errno != EAGAIN)
		c->is_closed = true;
}

static void until_bytes(struct client *c, size_t n)
{
	int64_t end = clock_ms() + DEADLINE_MS;

	for (;;) {
		read_some(c);
		if (evbuffer_get_length(c->got) >= n)
			return;
		cr_assert(!c->is_closed, "it is closed");
		cr_assert(clock_ms() < end, "no reply");
		loop_run(fixture.loop);
	}
}

const struct reply *client_reply(struct client *c)
{
	static struct reply r;
	const char *length;
	size_t n = 0;
	struct evbuffer_ptr blank;

	memset(&r, 0, sizeof r);
	do {
		until_bytes(c, ++n);
		blank = evbuffer_search(c->got, "\r\n\r\n", 4, NULL);
	} while (blank.pos < 0);
	cr_assert(blank.pos + 4 < REPLY_HEAD);
	evbuffer_remove(c->got, r.head, (size_t)blank.pos + 4);
	r.status = atoi(r.head + strlen("HTTP/1.1 "));
	length = strcasestr(r.head, "\r\nContent-Length: ");
	n = length != NULL ? (size_t)atol(length + strlen("\r\nContent-Length: ")) : 0;
	cr_assert(n < REPLY_BODY);
	until_bytes(c, n);
	evbuffer_remove(c->got, r.body, n);
	return &r;
}

const struct reply *ask(const char *method, const char *target, const char *body)
{
	struct client *c = client_new();
	const struct reply *r;

	client_ask(c, method, target, "", body);
	r = client_reply(c);
	client_leave(c);
	evbuffer_free(c->got);
	fixture.n_clients--;
	return r;
}

void client_leave(struct client *c)
{
	const struct linger none = {1, 0};

	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
	close(c->fd);
	c->fd = -1;
	fixture_turn();
}

void client_until_closed(struct client *c)
{
	int64_t end = clock_ms() + DEADLINE_MS;

	while (read_some(c), !c->is_closed) {
		cr_assert(clock_ms() < end, "it is not closed");
		loop_run(fixture.loop);
	}
}

/* ---- what came ---- */

bool reply_has(const struct reply *r, const char *header)
{
	char *line = xasprintf("\r\n%s\r\n", header);
	bool has = strstr(r->head, line) != NULL;

	free(line);
	return has;
}

void expect_error(const struct reply *r, int status, const char *type)
{
	char *header = xasprintf("x-amzn-ErrorType: %s", type);

	cr_assert_eq(r->status, status, "%s%s", r->head, r->body);
	cr_assert(reply_has(r, header), "%s%s", r->head, r->body);
	cr_assert(reply_has(r, "Content-Type: application/json"));
	cr_assert(strncmp(r->body, "{\"message\":\"", 12) == 0, "%s", r->body);
	cr_assert_eq(reply_has(r, "Retry-After: 1"), status == 429 || status == 503);
	free(header);
}

const char *id_of(uint16_t edge, uint32_t slot)
{
	static char text[8][ID_TEXT];
	static size_t at;
	struct id id = id_make(edge, slot, 7);

	return id_text(&id, text[at++ % 8]);
}

double metric_of(const char *line)
{
	struct evbuffer *out = evbuffer_new();
	char *start = xasprintf("\ngatepost_broker_%s", line);
	const char *text;
	double value = -1;

	metrics_print(fixture.metrics, out);
	evbuffer_add(out, "", 1);
	text = strstr((char *)evbuffer_pullup(out, -1), start);
	if (text != NULL)
		value = atof(text + strlen(start));
	evbuffer_free(out);
	free(start);
	return value;
}
