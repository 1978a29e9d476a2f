#include "broker/api/edge.h"

#include "base/mem.h"
#include "base/percent.h"
#include "broker/api/answer.h"
#include "http/query.h"
#include "json/read.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MOST = 256, SHED_MOST = 4000000 };

/* ---- GET /edges ---- */

struct row {
	struct listing *listing;
	struct command *command; /* NULL: it has its outcome */
	char *name;
	uint16_t number;
	bool is_counted;
	uint32_t connections;
};

struct listing {
	struct http_request *request;
	struct row *rows;
	size_t n, left;
};

static void on_counted(void *arg, enum err e, const Gatepost__Outcome *o);

static void listing_free(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->rows[i].name);
	free(l->rows);
	free(l);
}

static void on_list_gone(void *arg)
{
	struct listing *l = arg;

	for (size_t i = 0; i < l->n; i++)
		if (l->rows[i].command != NULL)
			command_cancel(l->rows[i].command);
	listing_free(l);
}

static void add_row(void *arg, uint16_t number, const char *name)
{
	struct listing *l = arg;

	l->rows = xrealloc(l->rows, (l->n + 1) * sizeof *l->rows);
	l->rows[l->n++] =
		(struct row){.listing = l, .name = xstrdup(name), .number = number};
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct row *)a)->name, ((const struct row *)b)->name);
}

static void answer_list(struct listing *l)
{
	struct http_request *q = l->request;
	struct evbuffer *body = evbuffer_new();

	assert(body != NULL);
	evbuffer_add_printf(body, "{\"edges\":[");
	for (size_t i = 0; i < l->n; i++) {
		evbuffer_add_printf(body, "%s\n{\"name\":", i > 0 ? "," : "");
		json_escape(span_str(l->rows[i].name), body);
		if (l->rows[i].is_counted)
			evbuffer_add_printf(body, ",\"connections\":%" PRIu32 "}",
					    l->rows[i].connections);
		else
			evbuffer_add_printf(body, "}");
	}
	evbuffer_add_printf(body, "]}\n");
	listing_free(l);
	answer_json(q, 200, body);
	evbuffer_free(body);
}

void edge_list(struct commands *to, struct http_request *q)
{
	struct listing *l = xcalloc(1, sizeof *l);

	l->request = q;
	commands_each_edge(to, add_row, l);
	if (l->n == 0) {
		answer_list(l);
		return;
	}
	qsort(l->rows, l->n, sizeof *l->rows, by_name);
	l->left = l->n;
	http_keep(q, on_list_gone, l);
	for (size_t i = 0; i < l->n; i++)
		l->rows[i].command =
			command_shed(to, l->rows[i].number, 0, on_counted, &l->rows[i]);
}

static void on_counted(void *arg, enum err e, const Gatepost__Outcome *o)
{
	struct row *row = arg;
	struct listing *l = row->listing;

	row->command = NULL;
	row->is_counted = e == OK;
	row->connections = e == OK ? o->connections : 0;
	if (--l->left == 0)
		answer_list(l);
}

/* ---- POST /edges/{edge}/shed ---- */

struct search {
	const char *name;
	bool is_found;
	uint16_t number;
};

static void compare(void *arg, uint16_t number, const char *name)
{
	struct search *s = arg;

	if (s->is_found || strcmp(name, s->name) != 0)
		return;
	s->is_found = true;
	s->number = number;
}

static bool find_edge(struct commands *to, struct span part, uint16_t *number)
{
	char name[NAME_MOST];
	long n = percent_decode(part, name, sizeof name - 1);
	struct search s = {.name = name};

	if (n < 0)
		return false;
	name[n] = '\0';
	commands_each_edge(to, compare, &s);
	*number = s.number;
	return s.is_found;
}

struct asker {
	struct http_request *request;
	struct command *command;
};

static void on_shed_gone(void *arg)
{
	struct asker *a = arg;

	command_cancel(a->command);
	free(a);
}

static void on_shed(void *arg, enum err e, const Gatepost__Outcome *o)
{
	struct asker *a = arg;
	struct http_request *q = a->request;
	struct evbuffer *body;

	free(a);
	if (e != OK) {
		answer_err(q, e);
		return;
	}
	body = evbuffer_new();
	assert(body != NULL);
	evbuffer_add_printf(body,
			    "{\"connections\":%" PRIu32 ",\"closing\":%" PRIu32 "}\n",
			    o->connections, o->reached);
	answer_json(q, 200, body);
	evbuffer_free(body);
}

static bool read_count(struct http_request *q, uint32_t *out)
{
	char *text = query_parameter(q->head.query, "connections"), *end = NULL;
	unsigned long n = text ? strtoul(text, &end, 10) : 0;
	bool ok = text != NULL && text[0] >= '0' && text[0] <= '9' && *end == '\0' &&
		  n >= 1 && n <= SHED_MOST;

	free(text);
	*out = (uint32_t)n;
	if (!ok)
		answer_bad(q, "connections is not a number from 1 to %d", SHED_MOST);
	return ok;
}

void edge_shed(struct commands *to, struct http_request *q, struct span name)
{
	struct asker *a;
	uint16_t number;
	uint32_t count;

	if (!read_count(q, &count))
		return;
	if (!find_edge(to, name, &number)) {
		answer_refusal_logged(q, 404, "NotFoundException",
				      "Not Found: no edge of this name is linked");
		return;
	}
	a = xcalloc(1, sizeof *a);
	a->request = q;
	http_keep(q, on_shed_gone, a);
	a->command = command_shed(to, number, count, on_shed, a);
}
