#include "broker/roster.h"

#include "base/log.h"
#include "base/mem.h"
#include "broker/route.h"
#include "proto/batch.h"
#include "proto/id.h"
#include "store/connections.h"

#include <stdlib.h>

static void on_put(void *arg, enum err e)
{
	(void)arg;
	if (e != OK)
		log_error("roster.failed", S("err", err_name(e)),
			  S("why", "some rows of the connection table are missing"));
}

static void read_row(struct broker *b, const Gatepost__Context *x,
		     struct connection_row *row)
{
	row->connected_at_ms = x->connected_at_ms;
	row->source_ip = span_from(x->source_ip);
	row->user_agent = span_from(x->user_agent);
	row->domain_name = span_from(x->domain);
	row->stage = span_str(routes_config(b->routes)->stage);
}

void roster_take(struct broker *b, uint16_t edge, const Gatepost__Roster *r)
{
	struct connection_row *rows = xcalloc(r->n_rows + 1, sizeof *rows);
	Gatepost__Context **contexts = xcalloc(r->n_rows + 1, sizeof *contexts);
	char(*texts)[ID_TEXT] = xcalloc(r->n_rows + 1, sizeof *texts);
	size_t n = 0;

	for (size_t i = 0; i < r->n_rows; i++) {
		ProtobufCBinaryData packed = r->rows[i]->context;
		struct id id;

		if (id_from(span_from(r->rows[i]->id), &id) != OK || id_edge(&id) != edge)
			continue;
		contexts[n] = gatepost__context__unpack(NULL, packed.len, packed.data);
		if (contexts[n] == NULL)
			continue;
		read_row(b, contexts[n], &rows[n]);
		rows[n].id = span_str(id_text(&id, texts[n]));
		rows[n].edge = edge;
		n++;
	}
	if (n > 0)
		store_connection_put_many(b->store, edge, rows, n, on_put, NULL);
	log_info("roster.taken", I("edge", edge), I("rows", n));
	for (size_t i = 0; i < n; i++)
		gatepost__context__free_unpacked(contexts[i], NULL);
	free(contexts);
	free(texts);
	free(rows);
}
