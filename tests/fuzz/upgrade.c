/* An HTTP head and the handshake in it. Any beginning of a good head must be good so far. */
#include "http/response.h"
#include "ws/accept_key.h"
#include "edge/client/upgrade.h"

#include <stdlib.h>

static const struct request_limits limits = {
	.max_target = 512, .max_head = 2048, .max_headers = 20};

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void check_inside(struct span s, struct span in)
{
	check(s.n == 0 || (s.p >= in.p && s.p + s.n <= in.p + in.n) || span_is(s, "/"));
}

static void check_request(const struct request *r, struct span in)
{
	check(r->head_bytes <= in.n && r->head_bytes <= limits.max_head);
	check(r->n_headers <= limits.max_headers);
	check(r->path.n > 0 && r->path.p[0] == '/');
	check_inside(r->method, in);
	check_inside(r->path, in);
	check_inside(r->query, in);
	check_inside(r->host, in);
	for (size_t i = 0; i < r->n_headers; i++) {
		check(request_is_token(r->headers[i].name));
		check_inside(r->headers[i].name, in);
		check_inside(r->headers[i].value, in);
	}
}

static void check_upgrade(const struct request *r)
{
	struct upgrade u;
	enum err e = upgrade_check(r, &u);

	if (e == ERR_MALFORMED)
		check((u.status == 400 || u.status == 405 || u.status == 426) && u.why);
	if (e != OK)
		return;

	struct response_header h = {r->headers[0].name, r->headers[0].value};
	struct span none = {0};
	char accept[ACCEPT_KEY_ANSWER];

	accept_key_answer(u.key, accept);
	blob_unref(response_switching(span_str(accept),
				      u.n_protocols ? u.protocols[0] : none, &h, 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct request r, part;
	struct span in = span_of(p, n);
	enum err e = request_parse(in, &limits, &r);

	check(e == OK || e == ERR_AGAIN ||
	      ((e == ERR_MALFORMED || e == ERR_TOOBIG) && r.why && r.status >= 400));
	if (e == OK) {
		check_request(&r, in);
		check_upgrade(&r);
		check(request_parse(span_of(p, r.head_bytes), &limits, &part) == OK);
	}
	if (e == OK || e == ERR_AGAIN)
		for (size_t cut = 0; cut < (e == OK ? r.head_bytes : n); cut++)
			check(request_parse(span_of(p, cut), &limits, &part) ==
			      ERR_AGAIN);
	return 0;
}
