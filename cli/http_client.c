#include "cli/http_client.h"

#include "base/mem.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 10000, BODY_MAX = 1 << 20 };

static size_t on_body(char *p, size_t size, size_t n, void *arg);

enum err http_call(const char *method, const char *url, const char *body,
		   struct http_reply *out)
{
	CURL *c = curl_easy_init();

	*out = (struct http_reply){.body = xstrdup("")};
	if (c == NULL)
		return ERR_DOWN;
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
	if (body)
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PROXY, ""); /* these are our own processes */
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, out);

	CURLcode code = curl_easy_perform(c);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &out->status);
	curl_easy_cleanup(c);
	return code == CURLE_OK ? OK : ERR_DOWN;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct http_reply *r = arg;

	n *= size;
	if (n > BODY_MAX - r->n)
		return 0; /* ends the transfer */
	r->body = xrealloc(r->body, r->n + n + 1);
	memcpy(r->body + r->n, p, n);
	r->n += n;
	r->body[r->n] = '\0';
	return n;
}

void http_reply_free(struct http_reply *r)
{
	free(r->body);
	*r = (struct http_reply){0};
}
