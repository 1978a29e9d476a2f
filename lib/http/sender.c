#include "http/sender.h"

#include "base/http_check.h"

#include <stdio.h>
#include <stdlib.h>

static bool is_of_a_page(const struct request *r)
{
	const struct header *site = request_header(r, "Sec-Fetch-Site");

	return request_header(r, "Origin") != NULL ||
	       (site != NULL && (span_is_nocase(site->value, "cross-site") ||
				 span_is_nocase(site->value, "same-site")));
}

static bool is_known(struct span host, const char *names)
{
	char *text = span_dup(host);
	bool known = http_host_is_known(text, names);

	free(text);
	return known;
}

enum err sender_check(const struct request *r, const struct sender_hosts *hosts,
		      char why[SENDER_WHY])
{
	if (is_of_a_page(r)) {
		snprintf(why, SENDER_WHY, "%s",
			 "Requests of web pages (Origin, Sec-Fetch-Site) are not served "
			 "here");
		return ERR_DENIED;
	}
	/* HTTP/1.0 may have no Host; no browser speaks it. */
	if (hosts->names == NULL || r->host.n == 0 || is_known(r->host, hosts->names))
		return OK;
	snprintf(why, SENDER_WHY, "Host is not localhost or a loopback address: %s",
		 hosts->hint);
	return ERR_DENIED;
}
