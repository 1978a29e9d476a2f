#include "cli/client/api.h"

#include "base/mem.h"
#include "aws/sigv4.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ID_LENGTH = 16, HEADERS_MOST = 6 };

/* "https://gateway.example:8443/dev" in pieces. */
struct endpoint {
	char *base; /* with the scheme */
	char *host; /* with the port: the Host header */
	char *path; /* "/dev", or empty */
};

/* What goes along with a request. */
struct headers {
	char *lines[HEADERS_MOST + 1]; /* NULL behind the last */
	size_t n;
};

/* ---- words ---- */

static bool is_word(const char *s)
{
	size_t n = strlen(s);

	if (n == ID_LENGTH && strchr(s, '=') == s + n - 1)
		return true;
	return strncmp(s, "--", 2) != 0;
}

int api_words(int argc, char **argv, int most, const char **out)
{
	int n = 0;

	while (n < most && n + 1 < argc && is_word(argv[n + 1])) {
		out[n] = argv[n + 1];
		n++;
	}
	return n;
}

char *api_encode(const char *text)
{
	char *out = xmalloc(3 * strlen(text) + 1), *at = out;

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || strchr("-._~", c) != NULL)
			*at++ = (char)c;
		else
			at += sprintf(at, "%%%02X", c);
	}
	*at = '\0';
	return out;
}

/* ---- where to ---- */

static void endpoint_read(struct endpoint *e, const char *text)
{
	const char *scheme = strstr(text, "://");
	const char *host = scheme ? scheme + 3 : text;
	size_t n = strcspn(host, "/");
	size_t path = strlen(host + n);

	while (path > 0 && host[n + path - 1] == '/')
		path--;
	e->host = span_dup(span_of(host, n));
	e->path = span_dup(span_of(host + n, path));
	e->base = xasprintf("%.*s%s", scheme ? (int)(host - text) : 7,
			    scheme ? text : "http://", e->host);
}

static void endpoint_close(struct endpoint *e)
{
	free(e->base);
	free(e->host);
	free(e->path);
}

/* ---- credentials ---- */

static void add(struct headers *h, char *line)
{
	h->lines[h->n++] = line;
}

/* key: "ID:SECRET". False when it is not. */
static bool add_signature(struct headers *h, const struct api_conf *conf,
			  const struct sigv4_request *r, const char *service,
			  const char date[SIGV4_TIME])
{
	char *id = xstrdup(conf->key), *colon = strchr(id, ':');
	char authorization[SIGV4_AUTHORIZATION];
	bool ok = colon != NULL;

	if (ok) {
		struct sigv4_key key = {id, colon + 1, conf->region, service};

		*colon = '\0';
		ok = sigv4_sign(r, &key, date, authorization) == OK;
	}
	if (ok)
		add(h, xasprintf("Authorization: %s", authorization));
	free(id);
	return ok;
}

static bool sign(struct headers *h, const struct api_conf *conf, const struct endpoint *e,
		 const struct api_request *r)
{
	char date[SIGV4_TIME];
	char *path = xasprintf("%s%s", e->path, r->path);
	size_t n = strcspn(path, "?");
	struct sigv4_header signed_headers[] = {
		{span_str("host"), span_str(e->host)},
		{span_str("x-amz-date"), span_str(sigv4_time(time(NULL), date))},
	};
	struct sigv4_request request = {
		.method = span_str(r->method),
		.path = span_of(path, n),
		.query = span_str(path + n + (path[n] == '?')),
		.headers = signed_headers,
		.n_headers = 2,
		.body = r->body,
	};
	bool ok = add_signature(h, conf, &request,
				r->operation ? "dynamodb" : "execute-api", date);

	add(h, xasprintf("X-Amz-Date: %s", date));
	free(path);
	return ok;
}

static bool add_all(struct headers *h, const struct api_conf *conf,
		    const struct endpoint *e, const struct api_request *r)
{
	add(h, xasprintf("Host: %s", e->host));
	if (r->binary)
		add(h, xstrdup("X-Gatepost-Binary: true"));
	if (r->operation) {
		add(h, xstrdup("Content-Type: application/x-amz-json-1.0"));
		add(h, xasprintf("X-Amz-Target: DynamoDB_20120810.%s", r->operation));
	}
	if (conf->token != NULL) {
		add(h, xasprintf("Authorization: Bearer %s", conf->token));
		return true;
	}
	return conf->key == NULL || sign(h, conf, e, r);
}

static void headers_close(struct headers *h)
{
	for (size_t i = 0; i < h->n; i++)
		free(h->lines[i]);
}

/* ---- one call ---- */

static enum api_exit exit_of(long status)
{
	switch (status) {
	case 400: return API_USAGE;
	case 401:
	case 403: return API_DENIED;
	case 410: return API_GONE;
	case 429:
	case 503: return API_LATER;
	default: return status >= 200 && status <= 299 ? API_DONE : API_FAILED;
	}
}

/* The exceptions of tables that are not a mistake in the request; they all have status 400. */
static enum api_exit exit_of_exception(const json_t *body)
{
	static const struct {
		const char *type;
		enum api_exit x;
	} all[] = {
		{"ResourceNotFoundException", API_GONE},
		{"AccessDeniedException", API_DENIED},
		{"IncompleteSignatureException", API_DENIED},
		{"InvalidSignatureException", API_DENIED},
		{"MissingAuthenticationTokenException", API_DENIED},
		{"UnrecognizedClientException", API_DENIED},
		{"ProvisionedThroughputExceededException", API_LATER},
		{"ThrottlingException", API_LATER},
	};
	const char *type = json_string_value(json_object_get(body, "__type"));
	const char *hash = type ? strchr(type, '#') : NULL;

	for (size_t i = 0; hash && i < sizeof all / sizeof *all; i++)
		if (strcmp(hash + 1, all[i].type) == 0)
			return all[i].x;
	return API_USAGE;
}

/* {"message":"…"}, or what there is. */
static enum api_exit complain(const char *command, const struct http_reply *reply,
			      enum api_exit x)
{
	json_t *body = json_loadb(reply->body, reply->n, 0, NULL);
	const char *message = json_string_value(json_object_get(body, "message"));

	const char *type = json_string_value(json_object_get(body, "__type"));

	if (x == API_USAGE)
		x = exit_of_exception(body);
	fprintf(stderr, "%s: %s (HTTP status %ld)\n", command,
		message && *message ? message
		: type              ? type
				    : "refused without a reason",
		reply->status);
	json_decref(body);
	return x;
}

static enum api_exit ask(const struct endpoint *e, const char *command,
			 const struct api_request *r, const struct headers *h,
			 struct http_reply *out)
{
	char *url = xasprintf("%s%s%s", e->base, e->path, r->path);
	struct http_request request = {
		.method = r->method,
		.url = url,
		.body = r->body,
		.headers = h->lines,
	};
	enum err err = http_send(&request, out);
	enum api_exit x = err == OK ? exit_of(out->status) : API_FAILED;

	if (err != OK)
		fprintf(stderr,
			"%s: no response from %s; set --management to the address of the "
			"management API\n",
			command, e->base);
	else if (x != API_DONE)
		x = complain(command, out, x);
	free(url);
	return x;
}

enum api_exit api_call(const struct api_conf *conf, const char *command,
		       const struct api_request *r, struct http_reply *out)
{
	struct endpoint e;
	struct headers h = {0};
	enum api_exit x = API_USAGE;

	*out = (struct http_reply){0};
	endpoint_read(&e, conf->management);
	if (add_all(&h, conf, &e, r))
		x = ask(&e, command, r, &h, out);
	else
		fprintf(stderr, "%s: key is not ID:SECRET\n", command);
	headers_close(&h);
	endpoint_close(&e);
	return x;
}
