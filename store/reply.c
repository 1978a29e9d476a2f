#include "store/reply.h"

#include "base/mem.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>

struct span reply_text(const redisReply *r)
{
	return span_of(r->str, r->len);
}

struct span *reply_texts(const redisReply *list)
{
	struct span *texts = xcalloc(list->elements + 1, sizeof *texts);

	for (size_t i = 0; i < list->elements; i++)
		texts[i] = reply_text(list->element[i]);
	return texts;
}

enum err reply_scan(const redisReply *reply, const redisReply **found, uint64_t *next)
{
	if (reply->elements != 2)
		return ERR_MALFORMED;
	*next = strtoull(reply->element[0]->str, NULL, 10);
	*found = reply->element[1];
	return OK;
}
