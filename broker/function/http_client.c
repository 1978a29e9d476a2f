#include "broker/function/http_client.h"

#include "base/log.h"
#include "base/mem.h"
#include "broker/function/http_turns.h"

#include <assert.h>
#include <curl/curl.h>
#include <event2/buffer.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* Responses up to this size are accepted even over the limit of all together. */
enum { SMALL_RESPONSE = 64 * 1024 };

enum { IDLE_S = 4 }; /* many servers close a connection that was idle for five */

struct http_client {
	struct loop *loop;
	struct http_client_conf conf;
	CURLM *multi;
	struct timer *timer;
	struct http_turns *turns;
	struct metric *waiting, *held, *shed;
	int64_t held_bytes; /* of all responses */
	LIST_HEAD(, request) requests;
	LIST_HEAD(, watch) watches;
};

struct request {
	LIST_ENTRY(request) in;
	struct http_client *client;
	struct http_turn turn;
	char *url;
	int64_t end_ms;     /* its timeout */
	struct timer *wait; /* for its turn; NULL: it did not wait */
	CURL *easy;         /* NULL: it waits for its turn */
	struct curl_slist *headers;
	struct blob *body;
	struct evbuffer *response;
	bool too_big, no_memory, function_error, is_stale;
	http_client_fn *fn;
	void *arg;
};

/* A socket of curl that the loop watches. */
struct watch {
	LIST_ENTRY(watch) in;
	struct event *event;
};

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *own);
static int on_curl_timer(CURLM *multi, long ms, void *arg);
static void on_ready(evutil_socket_t fd, short what, void *arg);
static void on_timer(void *arg);
static void collect(struct http_client *h);
static void begin(struct request *r);
static void wait_for_turn(struct request *r, int64_t ms);
static void stop_waiting(struct request *r);
static void on_waited(void *arg);
static void finish(struct request *r, CURLcode code);
static void request_free(struct request *r);

struct http_client *http_client_new(struct loop *l, const struct http_client_conf *conf)
{
	struct http_client *h = xcalloc(1, sizeof *h);

	curl_global_init(CURL_GLOBAL_DEFAULT);
	h->loop = l;
	h->conf = *conf;
	LIST_INIT(&h->requests);
	LIST_INIT(&h->watches);
	h->timer = timer_new(l, on_timer, h);
	h->turns = http_turns_new((size_t)conf->max_connections);
	h->waiting = metric_gauge(conf->metrics, "gatepost_broker_http_waiting", NULL,
				  "Requests to functions that wait for a connection");
	h->held = metric_gauge(conf->metrics, "gatepost_broker_http_response_bytes", NULL,
			       "Bytes of functions' responses that are being received");
	h->shed = metric_counter(conf->metrics, "gatepost_broker_http_shed_total", NULL,
				 "Responses dropped since --http-memory was used up");
	h->multi = curl_multi_init();
	assert(h->multi != NULL);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	curl_multi_setopt(h->multi, CURLMOPT_MAX_HOST_CONNECTIONS,
			  (long)conf->max_connections);
	curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)conf->max_connections);
	return h;
}

void http_client_free(struct http_client *h)
{
	struct request *r;
	struct watch *w;

	if (h == NULL)
		return;
	while ((r = LIST_FIRST(&h->requests)) != NULL) {
		stop_waiting(r);
		if (r->easy != NULL)
			curl_multi_remove_handle(h->multi, r->easy);
		http_turns_leave(h->turns, &r->turn);
		request_free(r);
	}
	http_turns_free(h->turns);
	curl_multi_cleanup(h->multi);
	while ((w = LIST_FIRST(&h->watches)) != NULL) {
		LIST_REMOVE(w, in);
		event_free(w->event);
		free(w);
	}
	timer_free(h->timer);
	curl_global_cleanup();
	free(h);
}

static void hold(struct http_client *h, int64_t n)
{
	h->held_bytes += n;
	metric_set(h->held, h->held_bytes);
}

static void request_free(struct request *r)
{
	LIST_REMOVE(r, in);
	curl_easy_cleanup(r->easy);
	timer_free(r->wait);
	free(r->url);
	curl_slist_free_all(r->headers);
	hold(r->client, -(int64_t)evbuffer_get_length(r->response));
	evbuffer_free(r->response);
	blob_unref(r->body);
	free(r);
}

/* ---- a request ---- */

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct request *r = arg;
	struct http_client *h = r->client;
	size_t have = evbuffer_get_length(r->response);

	n *= size;
	if (have + n > (size_t)h->conf.max_response) {
		r->too_big = true;
		return 0; /* ends the request */
	}
	if (have + n > SMALL_RESPONSE && h->held_bytes + (int64_t)n > h->conf.memory) {
		r->no_memory = true;
		metric_add(h->shed, 1);
		log_warn_flood("http.no_memory", I("limit", h->conf.memory),
			       S("hint", "add brokers, or raise --http-memory"));
		return 0;
	}
	evbuffer_add(r->response, p, n);
	hold(h, (int64_t)n);
	return n;
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	static const char name[] = "X-Amz-Function-Error:";
	struct request *r = arg;

	n *= size;
	if (n >= sizeof name - 1 &&
	    evutil_ascii_strncasecmp(p, name, sizeof name - 1) == 0)
		r->function_error = true;
	return n;
}

/* The connect time is 0 for a kept connection, so it cannot be used here. */
static bool was_sent(const struct request *r)
{
	long bytes = 0;

	if (r->easy == NULL)
		return false;
	curl_easy_getinfo(r->easy, CURLINFO_REQUEST_SIZE, &bytes);
	return bytes > 0;
}

/*
 * curl retries by itself when a kept connection is closed without a byte of a response.
 * But the peer may have acted on the request: our caller decides whether to retry
 * (RFC 9110 9.2.2).
 */
static int on_request(void *arg, char *to, char *from, int to_port, int from_port)
{
	struct request *r = arg;

	(void)to;
	(void)from;
	(void)to_port;
	(void)from_port;
	r->is_stale = was_sent(r);
	return r->is_stale ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static void set_up(struct request *r, int64_t timeout_ms)
{
	const struct http_client_conf *conf = &r->client->conf;
	CURL *e = r->easy;

	curl_easy_setopt(e, CURLOPT_URL, r->url);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_PROXY, ""); /* no proxy between us and functions */
	curl_easy_setopt(e, CURLOPT_POSTFIELDS, (const char *)r->body->p);
	curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body->n);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, r->headers);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)conf->connect_ms);
	curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, (long)IDLE_S);
	curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_request);
	curl_easy_setopt(e, CURLOPT_PREREQDATA, r);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	/* libcurl looks a name up in a thread. After a timeout it would wait for this thread,
	   and our loop with it, until the name servers answer. */
	curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(e, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, r);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, r);
	curl_easy_setopt(e, CURLOPT_PRIVATE, r);
	if (conf->ca_file != NULL)
		curl_easy_setopt(e, CURLOPT_CAINFO, conf->ca_file);
}

void http_client_post(struct http_client *h, const struct http_post *p,
		      http_client_fn *fn, void *arg)
{
	struct request *r = xcalloc(1, sizeof *r);

	r->client = h;
	r->turn.owner = r;
	r->url = xstrdup(p->url);
	r->end_ms = loop_now(h->loop) + p->timeout_ms;
	r->body = blob_ref(p->body);
	r->response = evbuffer_new();
	r->fn = fn;
	r->arg = arg;
	for (size_t i = 0; i < p->n; i++)
		r->headers = curl_slist_append(r->headers, p->headers[i]);
	r->headers = curl_slist_append(r->headers, "Expect:"); /* do not wait for a 100 */
	LIST_INSERT_HEAD(&h->requests, r, in);
	/* A request without a client is a client of its own. */
	if (http_turns_join(h->turns, r->url,
			    p->client.n > 0 ? p->client : span_of(&r, sizeof r),
			    &r->turn))
		begin(r);
	else
		wait_for_turn(r, p->timeout_ms);
}

static void wait_for_turn(struct request *r, int64_t ms)
{
	r->wait = timer_new(r->client->loop, on_waited, r);
	timer_after(r->wait, ms);
	metric_add(r->client->waiting, 1);
}

static void stop_waiting(struct request *r)
{
	if (r->wait == NULL)
		return;
	timer_free(r->wait);
	r->wait = NULL;
	metric_add(r->client->waiting, -1);
}

/* It did not get its turn in time. */
static void on_waited(void *arg)
{
	finish(arg, CURLE_OPERATION_TIMEDOUT);
}

/* With the rest of its timeout; 0 would be no limit for curl. */
static void begin(struct request *r)
{
	int64_t left = r->end_ms - loop_now(r->client->loop);

	stop_waiting(r);
	r->easy = curl_easy_init();
	assert(r->easy != NULL);
	set_up(r, left > 0 ? left : 1);
	curl_multi_add_handle(r->client->multi, r->easy); /* begins by a timer of 0 */
}

/* Ends its turn, or its wait. */
static void leave(struct request *r)
{
	struct http_turn *next = http_turns_leave(r->client->turns, &r->turn);

	stop_waiting(r);
	if (next != NULL)
		begin(next->owner);
}

static enum http_end end_of(const struct request *r, CURLcode code)
{
	switch ((int)code) {
	case CURLE_OK: return HTTP_ANSWERED;
	case CURLE_OPERATION_TIMEDOUT: return was_sent(r) ? HTTP_LATE : HTTP_UNREACHABLE;
	case CURLE_WRITE_ERROR:
		return r->too_big ? HTTP_TOOBIG : r->no_memory ? HTTP_FULL : HTTP_BROKEN;
	default: return was_sent(r) ? HTTP_BROKEN : HTTP_UNREACHABLE;
	}
}

static const char *why_of(const struct request *r, CURLcode code)
{
	if (r->too_big)
		return "the response is too large";
	if (r->no_memory)
		return "there is no memory for its response now";
	if (code == CURLE_ABORTED_BY_CALLBACK || code == CURLE_GOT_NOTHING)
		return "the connection ended without an answer";
	if (code == CURLE_UNSUPPORTED_PROTOCOL)
		return "what came is not HTTP";
	return curl_easy_strerror(code);
}

static void finish(struct request *r, CURLcode code)
{
	size_t n = evbuffer_get_length(r->response);
	struct http_reply reply = {.end = end_of(r, code),
				   .function_error = r->function_error,
				   .is_stale = r->is_stale};
	const char *type = NULL;
	long status = 0;

	leave(r);
	if (r->easy != NULL) {
		curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
		curl_easy_getinfo(r->easy, CURLINFO_CONTENT_TYPE, &type);
	}
	reply.status = (int)status;
	reply.body = span_of(evbuffer_pullup(r->response, -1), n);
	reply.content_type = type != NULL ? span_str(type) : span_of(NULL, 0);
	reply.why = reply.end == HTTP_ANSWERED ? NULL : why_of(r, code);
	r->fn(r->arg, &reply);
	request_free(r);
}

/* ---- curl on the loop ---- */

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *own)
{
	struct http_client *h = arg;
	struct watch *w = own;
	short events = EV_PERSIST;

	(void)easy;
	if (w != NULL)
		event_free(w->event);
	if (what == CURL_POLL_REMOVE) {
		if (w != NULL) {
			LIST_REMOVE(w, in);
			free(w);
		}
		curl_multi_assign(h->multi, fd, NULL);
		return 0;
	}
	if (w == NULL) {
		w = xcalloc(1, sizeof *w);
		LIST_INSERT_HEAD(&h->watches, w, in);
		curl_multi_assign(h->multi, fd, w);
	}
	if (what & CURL_POLL_IN)
		events |= EV_READ;
	if (what & CURL_POLL_OUT)
		events |= EV_WRITE;
	w->event = event_new(loop_base(h->loop), fd, events, on_ready, h);
	event_add(w->event, NULL);
	return 0;
}

static int on_curl_timer(CURLM *multi, long ms, void *arg)
{
	struct http_client *h = arg;

	(void)multi;
	if (ms < 0)
		timer_stop(h->timer);
	else
		timer_after(h->timer, ms);
	return 0;
}

static void on_ready(evutil_socket_t fd, short what, void *arg)
{
	struct http_client *h = arg;
	int actions = (what & EV_READ ? CURL_CSELECT_IN : 0) |
		      (what & EV_WRITE ? CURL_CSELECT_OUT : 0);
	int running;

	curl_multi_socket_action(h->multi, fd, actions, &running);
	collect(h);
}

static void on_timer(void *arg)
{
	struct http_client *h = arg;
	int running;

	curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(h);
}

static void collect(struct http_client *h)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(h->multi, &left)) != NULL) {
		struct request *r;
		CURLcode code = m->data.result;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&r);
		curl_multi_remove_handle(h->multi, r->easy);
		finish(r, code);
	}
}
