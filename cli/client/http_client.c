#include "cli/client/http_client.h"

#include "base/mem.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 10000, BODY_MAX = 32 << 20 };

static size_t on_body(char *p, size_t size, size_t n, void *arg);

static struct curl_slist *list_of(char *const *headers)
{
	struct curl_slist *list = NULL;

	for (; headers != NULL && *headers != NULL; headers++)
		list = curl_slist_append(list, *headers);
	return curl_slist_append(list, "Expect:"); /* what we send is small */
}

static void set_body(CURL *c, const struct http_request *r)
{
	if (r->body.n == 0 && strcmp(r->method, "POST") != 0)
		return;
	curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
	curl_easy_setopt(c, CURLOPT_POSTFIELDS,
			 r->body.n > 0 ? (const char *)r->body.p : "");
}

enum err http_send(const struct http_request *r, struct http_reply *out)
{
	CURL *c = curl_easy_init();
	struct curl_slist *headers;

	*out = (struct http_reply){.body = xstrdup("")};
	if (c == NULL)
		return ERR_DOWN;
	headers = list_of(r->headers);
	curl_easy_setopt(c, CURLOPT_URL, r->url);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	set_body(c, r);
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PROXY, ""); /* these are our own processes */
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, out);

	CURLcode code = curl_easy_perform(c);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &out->status);
	curl_easy_cleanup(c);
	curl_slist_free_all(headers);
	return code == CURLE_OK ? OK : ERR_DOWN;
}

enum err http_call(const char *method, const char *url, const char *body,
		   struct http_reply *out)
{
	return http_send(&(struct http_request){.method = method,
						.url = url,
						.body = span_str(body ? body : "")},
			 out);
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
