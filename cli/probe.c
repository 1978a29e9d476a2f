#include "cli/probe.h"

#include "base/mem.h"

#include <event2/buffer.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>

enum { PAUSE_MS = 20, TIMEOUT_S = 5 };

struct probe {
	struct evhttp_uri *uri;
	struct evhttp_connection *connection;
	struct timer *again;
	loop_fn *fn;
	void *arg;
	char missing[100];
};

static void ask(void *arg);
static void on_answer(struct evhttp_request *req, void *arg);

struct probe *probe_new(struct loop *l, const char *url, loop_fn *fn, void *arg)
{
	struct probe *p = xcalloc(1, sizeof *p);

	p->fn = fn;
	p->arg = arg;
	p->again = timer_new(l, ask, p);
	p->uri = evhttp_uri_parse(url);
	if (p->uri && evhttp_uri_get_host(p->uri) && evhttp_uri_get_port(p->uri) > 0) {
		p->connection = evhttp_connection_base_new(
			loop_base(l), NULL, evhttp_uri_get_host(p->uri),
			(uint16_t)evhttp_uri_get_port(p->uri));
		evhttp_connection_set_timeout(p->connection, TIMEOUT_S);
		timer_after(p->again, 0);
	} else {
		snprintf(p->missing, sizeof p->missing, "its metrics are at no URL");
	}
	return p;
}

void probe_free(struct probe *p)
{
	if (p == NULL)
		return;
	if (p->connection)
		evhttp_connection_free(p->connection);
	if (p->uri)
		evhttp_uri_free(p->uri);
	timer_free(p->again);
	free(p);
}

static void ask(void *arg)
{
	struct probe *p = arg;
	struct evhttp_request *req = evhttp_request_new(on_answer, p);

	evhttp_add_header(evhttp_request_get_output_headers(req), "Host", "localhost");
	if (evhttp_make_request(p->connection, req, EVHTTP_REQ_GET, "/readyz") != 0)
		timer_after(p->again, PAUSE_MS);
}

static void on_answer(struct evhttp_request *req, void *arg)
{
	struct probe *p = arg;

	if (req && evhttp_request_get_response_code(req) == HTTP_OK) {
		p->fn(p->arg);
		return;
	}
	struct evbuffer *body = req ? evhttp_request_get_input_buffer(req) : NULL;
	ev_ssize_t n =
		body ? evbuffer_copyout(body, p->missing, sizeof p->missing - 1) : 0;

	while (n > 0 && p->missing[n - 1] == '\n')
		n--;
	p->missing[n > 0 ? n : 0] = '\0';
	timer_after(p->again, PAUSE_MS);
}

const char *probe_missing(const struct probe *p)
{
	return p ? p->missing : "";
}
