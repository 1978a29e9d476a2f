#include "edge/client/upgrade.h"

#include "ws/accept_key.h"

static enum err refuse(struct upgrade *out, int status, const char *why)
{
	out->status = status;
	out->why = why;
	return ERR_MALFORMED;
}

/* RFC 6455 4.2.1: method, HTTP version, Connection; and no body, whose end would be unknown. */
static enum err check_request(const struct request *r, struct upgrade *out)
{
	if (!span_is(r->method, "GET"))
		return refuse(out, 405, "A WebSocket is opened with GET.");
	if (r->minor_version == 0)
		return refuse(out, 400, "A WebSocket is opened with HTTP/1.1.");
	if (!request_lists(r, "Connection", "upgrade"))
		return refuse(out, 400, "The Connection header must list upgrade.");
	if (r->content_length > 0)
		return refuse(out, 400, "A request that opens a WebSocket has no body.");
	return OK;
}

static enum err check_version(const struct request *r, struct upgrade *out)
{
	const struct header *h = request_header(r, "Sec-WebSocket-Version");

	if (request_count(r, "Sec-WebSocket-Version") > 1)
		return refuse(out, 400,
			      "The request has more than one Sec-WebSocket-Version.");
	if (h == NULL || !span_is(h->value, "13"))
		return refuse(out, 426, "The Sec-WebSocket-Version must be 13.");
	return OK;
}

static enum err check_key(const struct request *r, struct upgrade *out)
{
	if (request_count(r, "Sec-WebSocket-Key") != 1)
		return refuse(out, 400, "The request must have one Sec-WebSocket-Key.");
	out->key = request_header(r, "Sec-WebSocket-Key")->value;
	if (!accept_key_is_valid(out->key))
		return refuse(out, 400,
			      "The Sec-WebSocket-Key is not 16 bytes in base64.");
	return OK;
}

static bool is_offered(const struct upgrade *u, struct span protocol)
{
	for (size_t i = 0; i < u->n_protocols; i++)
		if (span_eq(u->protocols[i], protocol))
			return true;
	return false;
}

static enum err add_protocols(struct span list, struct upgrade *out)
{
	struct span protocol;

	while (request_list_next(&list, &protocol)) {
		if (!request_is_token(protocol))
			return refuse(out, 400,
				      "A subprotocol in Sec-WebSocket-Protocol is not a "
				      "token.");
		if (is_offered(out, protocol))
			return refuse(
				out, 400,
				"Sec-WebSocket-Protocol names a subprotocol twice.");
		if (out->n_protocols == UPGRADE_PROTOCOLS)
			return refuse(out, 400,
				      "Sec-WebSocket-Protocol names more than 32 "
				      "subprotocols.");
		out->protocols[out->n_protocols++] = protocol;
	}
	return OK;
}

/* RFC 6455 11.3.4: the header may be there several times, and is then one list. */
static enum err check_protocols(const struct request *r, struct upgrade *out)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < r->n_headers; i++)
		if (span_is_nocase(r->headers[i].name, "Sec-WebSocket-Protocol"))
			e = add_protocols(r->headers[i].value, out);
	return e;
}

enum err upgrade_check(const struct request *r, struct upgrade *out)
{
	enum err e;

	if (!request_lists(r, "Upgrade", "websocket"))
		return ERR_NOTFOUND;
	*out = (struct upgrade){0};
	e = check_request(r, out);
	if (e == OK)
		e = check_version(r, out);
	if (e == OK)
		e = check_key(r, out);
	if (e == OK)
		e = check_protocols(r, out);
	return e;
}
