#include "edge/client/upgrade.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <stdio.h>

#define KEY         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION     "Sec-WebSocket-Version: 13\r\n"
#define SWITCH      "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define HOST        "Host: server.example.com\r\n"
#define GET         "GET /chat HTTP/1.1\r\n" HOST
#define PROTOCOL(x) GET SWITCH KEY VERSION "Sec-WebSocket-Protocol: " x "\r\n"

struct row {
	char why[48];
	char head[260]; /* without the empty line */
	enum err want;
	int status;
};

ParameterizedTestParameters(upgrade, check)
{
	static struct row rows[] = {
		{"the least", GET SWITCH KEY VERSION, OK, 0},
		{"as Firefox asks",
		 GET
		 "Upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n" KEY VERSION,
		 OK, 0},
		{"Upgrade lists others too",
		 GET "Upgrade: foo, websocket\r\nConnection: upgrade\r\n" KEY VERSION, OK,
		 0},
		{"a plain GET", GET, ERR_NOTFOUND, 0},
		{"Connection: Upgrade alone", GET "Connection: Upgrade\r\n", ERR_NOTFOUND,
		 0},
		{"another upgrade", GET "Upgrade: h2c\r\nConnection: Upgrade\r\n",
		 ERR_NOTFOUND, 0},
		{"POST", "POST / HTTP/1.1\r\n" HOST SWITCH KEY VERSION, ERR_MALFORMED,
		 405},
		{"HTTP/1.0", "GET / HTTP/1.0\r\n" HOST SWITCH KEY VERSION, ERR_MALFORMED,
		 400},
		{"no Connection", GET "Upgrade: websocket\r\n" KEY VERSION, ERR_MALFORMED,
		 400},
		{"Connection: close",
		 GET "Upgrade: websocket\r\nConnection: close\r\n" KEY VERSION,
		 ERR_MALFORMED, 400},
		{"a body", GET SWITCH KEY VERSION "Content-Length: 1\r\n", ERR_MALFORMED,
		 400},
		{"a body of nothing", GET SWITCH KEY VERSION "Content-Length: 0\r\n", OK,
		 0},
		{"version 8", GET SWITCH KEY "Sec-WebSocket-Version: 8\r\n",
		 ERR_MALFORMED, 426},
		{"version 013", GET SWITCH KEY "Sec-WebSocket-Version: 013\r\n",
		 ERR_MALFORMED, 426},
		{"no version", GET SWITCH KEY, ERR_MALFORMED, 426},
		{"two versions", GET SWITCH KEY VERSION VERSION, ERR_MALFORMED, 400},
		{"no key", GET SWITCH VERSION, ERR_MALFORMED, 400},
		{"two keys", GET SWITCH VERSION KEY KEY, ERR_MALFORMED, 400},
		{"a key of 15 bytes",
		 GET SWITCH VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j\r\n",
		 ERR_MALFORMED, 400},
		{"a key of 17 bytes",
		 GET SWITCH VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZTE=\r\n",
		 ERR_MALFORMED, 400},
		{"a key that is not base64",
		 GET SWITCH VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ-==\r\n",
		 ERR_MALFORMED, 400},
		{"an empty key", GET SWITCH VERSION "Sec-WebSocket-Key:\r\n",
		 ERR_MALFORMED, 400},
		{"a subprotocol that is no token", PROTOCOL("a/b"), ERR_MALFORMED, 400},
		{"a subprotocol twice", PROTOCOL("a, b, a"), ERR_MALFORMED, 400},
		{"32 subprotocols",
		 PROTOCOL("0,1,2,3,4,5,6,7,8,9,a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,"
			  "v"),
		 OK, 0},
		{"33 subprotocols",
		 PROTOCOL("0,1,2,3,4,5,6,7,8,9,a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,"
			  "v,w"),
		 ERR_MALFORMED, 400},
	};

	return cr_make_param_array(struct row, rows, sizeof rows / sizeof *rows);
}

static struct request request_of(const char *head)
{
	static const struct request_limits limits = {
		.max_target = 99, .max_head = 999, .max_headers = 99};
	static char text[512];
	struct request r;
	int n = snprintf(text, sizeof text, "%s\r\n", head);

	cr_assert(eq(int, request_parse(span_of(text, (size_t)n), &limits, &r), OK), "%s",
		  r.why);
	return r;
}

ParameterizedTest(struct row *row, upgrade, check)
{
	struct request r = request_of(row->head);
	struct upgrade u = {0};

	cr_assert(eq(int, upgrade_check(&r, &u), row->want), "%s", row->why);
	cr_assert(eq(int, u.status, row->status), "%s", row->why);
	cr_assert(eq(int, u.why != NULL, row->want == ERR_MALFORMED), "%s", row->why);
}

Test(upgrade, subprotocols_are_one_list_over_all_lines_in_the_clients_order)
{
	struct request r = request_of(
		PROTOCOL("chat , ,superchat") "sec-websocket-protocol: third\r\n");
	struct upgrade u;

	cr_assert(eq(int, upgrade_check(&r, &u), OK));
	cr_assert(eq(sz, u.n_protocols, 3));
	cr_assert(span_is(u.protocols[0], "chat"));
	cr_assert(span_is(u.protocols[1], "superchat"));
	cr_assert(span_is(u.protocols[2], "third"));
}
