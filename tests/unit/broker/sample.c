#include "sample.h"

#include "base/mem.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { HEADERS = 40 };

static ProtobufCBinaryData bytes(const char *s)
{
	return (ProtobufCBinaryData){.len = s ? strlen(s) : 0,
				     .data = (uint8_t *)(uintptr_t)s};
}

static ProtobufCBinaryData cut(char **at, const char *stops)
{
	char *start = *at;

	*at += strcspn(*at, stops);
	return (ProtobufCBinaryData){.len = (size_t)(*at - start),
				     .data = (uint8_t *)start};
}

/* Pack "GET /dev?q=1\nName: value\n…"; freed by the caller. */
static uint8_t *pack_head(const char *head, size_t *n)
{
	Gatepost__Request q = GATEPOST__REQUEST__INIT;
	Gatepost__Request__Header h[HEADERS], *list[HEADERS];
	char *copy = xstrdup(head), *at = copy;
	uint8_t *packed;

	q.method = cut(&at, " ");
	at++;
	q.path = cut(&at, "?\n");
	if (*at == '?')
		at++;
	q.query = cut(&at, "\n");
	q.headers = list;
	while (*at == '\n' && at[1] != '\0') {
		Gatepost__Request__Header *one = list[q.n_headers] = &h[q.n_headers];

		q.n_headers++;
		at++;
		gatepost__request__header__init(one);
		one->name = cut(&at, ":");
		at += 2;
		one->value = cut(&at, "\n");
	}
	*n = gatepost__request__get_packed_size(&q);
	packed = xmalloc(*n + 1);
	gatepost__request__pack(&q, packed);
	free(copy);
	return packed;
}

static uint8_t *pack_context(const struct sample *b, size_t *n)
{
	Gatepost__Context x = GATEPOST__CONTEXT__INIT;
	uint8_t *packed, *kept = NULL;
	size_t kept_n = 0;

	x.connected_at_ms = 1731324924553;
	x.source_ip = bytes("192.0.2.7");
	x.user_agent = bytes(b->agent);
	x.domain = bytes(b->host ? b->host : "id.example.com");
	x.authorizer = bytes(b->authorizer);
	if (b->kept)
		kept = pack_head(b->kept, &kept_n);
	x.request = (ProtobufCBinaryData){.len = kept_n, .data = kept};
	*n = gatepost__context__get_packed_size(&x);
	packed = xmalloc(*n + 1);
	gatepost__context__pack(&x, packed);
	free(kept);
	return packed;
}

static struct span put(uint8_t **at, const void *p, size_t n)
{
	struct span s = span_of(*at, n);

	if (n > 0)
		memcpy(*at, p, n);
	*at += n;
	return s;
}

struct invocation *sample_invocation(const struct sample *b)
{
	size_t x_n, q_n = 0;
	size_t body_n = b->body_n ? b->body_n : b->body ? strlen(b->body) : 0;
	uint8_t *x = pack_context(b, &x_n);
	uint8_t *q = b->head ? pack_head(b->head, &q_n) : NULL;
	struct invocation *in = xcalloc(1, sizeof *in + x_n + q_n + body_n);
	uint8_t *at = (uint8_t *)(in + 1);

	in->kind = (Gatepost__Event__Kind)b->kind;
	in->seq = b->seq;
	in->id = id_make(1, 2, 0x123456789);
	in->time_ms = 1731324924561;
	in->code = b->code;
	in->binary = b->binary;
	in->context = put(&at, x, x_n);
	in->request = put(&at, q, q_n);
	in->body = put(&at, b->body, body_n);
	free(x);
	free(q);
	return in;
}

struct sample_setting sample_setting(const char *route_key)
{
	return (struct sample_setting){
		.setting = {.stage = "dev",
			    .api_id = "abcdef1234",
			    .account = "123456789012",
			    .region = "us-east-1"},
		.route = {.key = route_key},
	};
}

char *sample_event(struct invocation *in, enum event_form form,
		   const struct sample_setting *s)
{
	struct blob *b;
	char *text;

	in->setting = &s->setting;
	in->route = &s->route;
	in->path = s->path;
	b = event_json(in, form);
	cr_assert(b != NULL, "there is no event");
	text = span_dup(blob_span(b));
	blob_unref(b);
	free(in);
	return text;
}
