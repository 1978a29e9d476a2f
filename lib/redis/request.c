#include "redis/request.h"

#include "base/mem.h"

#include <event2/buffer.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void note(char *out, size_t room, int argc, const char **argv, const size_t *lens,
		 int i)
{
	size_t n = 0;

	if (i < argc)
		n = lens == NULL ? strlen(argv[i]) : lens[i];
	if (n >= room)
		n = room - 1;
	if (n > 0)
		memcpy(out, argv[i], n);
	out[n] = '\0';
}

struct request *request_new(redis_reply_fn *fn, void *arg, int argc, const char **argv,
			    const size_t *lens)
{
	struct request *q = xcalloc(1, sizeof *q);

	q->fn = fn;
	q->arg = arg;
	note(q->command, sizeof q->command, argc, argv, lens, 0);
	/* AUTH's first word is no key, and EVALSHA sha n key … has it later */
	if (strcasecmp(q->command, "AUTH") != 0)
		note(q->key, sizeof q->key, argc, argv, lens,
		     strncasecmp(q->command, "EVAL", 4) == 0 ? 3 : 1);
	return q;
}

void request_free(struct request *q)
{
	if (q == NULL)
		return;
	free(q->wire);
	free(q);
}

/* "*123\r\n" */
static char *write_count(char *to, char mark, size_t n)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	*to++ = mark;
	memcpy(to, digits + at, sizeof digits - at);
	to += sizeof digits - at;
	*to++ = '\r';
	*to++ = '\n';
	return to;
}

char *request_format(int argc, const char **argv, const size_t *lens, size_t *n)
{
	enum { COUNT = 23, LINE_END = 2 };
	size_t room = COUNT;
	char *wire, *to;

	for (int i = 0; i < argc; i++)
		room += COUNT + LINE_END + (lens ? lens[i] : strlen(argv[i]));
	wire = xmalloc(room);
	to = write_count(wire, '*', (size_t)argc);
	for (int i = 0; i < argc; i++) {
		size_t length = lens ? lens[i] : strlen(argv[i]);

		to = write_count(to, '$', length);
		memcpy(to, argv[i], length);
		to += length;
		*to++ = '\r';
		*to++ = '\n';
	}
	*n = (size_t)(to - wire);
	return wire;
}

void request_write_text(struct request *q, struct evbuffer *out)
{
	static const char before_rest[] = "\r\n$7\r\nEVALSHA\r\n$40\r\n";
	const char *line_end = memchr(q->wire, '\r', q->wire_n);
	size_t head = (size_t)(line_end - q->wire);
	size_t rest = head + strlen(before_rest) + 40;

	evbuffer_add(out, q->wire, head);
	evbuffer_add_printf(out, "\r\n$4\r\nEVAL\r\n$%zu\r\n", q->script->n);
	evbuffer_add(out, q->script->text, q->script->n);
	evbuffer_add(out, q->wire + rest, q->wire_n - rest);
	q->script = NULL;
}

/* The word behind at, which is the one of "$5\r\nWORDS\r\n"; at goes on to the next. */
static int next_word(const char **at, const char **word)
{
	char *line_end;
	int n = (int)strtol(*at + 1, &line_end, 10);

	*word = line_end + 2;
	*at = *word + n + 2;
	return n;
}

const char *request_keys(const struct request *q, char *out, size_t n)
{
	enum { BEFORE_COUNT = 2 };
	const char *at, *word;
	size_t used = 0;
	long left;

	snprintf(out, n, "%s", q->key);
	if (q->wire == NULL)
		return out;
	at = memchr(q->wire, '\n', q->wire_n);
	at++;
	for (int i = 0; i <= BEFORE_COUNT; i++)
		next_word(&at, &word);
	for (left = strtol(word, NULL, 10); left > 0 && used < n; left--) {
		int length = next_word(&at, &word);

		used += (size_t)snprintf(out + used, n - used, "%s%.*s",
					 used == 0 ? "" : " ", length, word);
	}
	return out;
}

void requests_push(struct requests *all, struct request *q)
{
	q->next = NULL;
	if (all->tail == NULL)
		all->head = q;
	else
		all->tail->next = q;
	all->tail = q;
	if (all->due == NULL)
		all->due = q;
	all->n++;
}

struct request *requests_pop(struct requests *all)
{
	struct request *q = all->head;

	if (q == NULL)
		return NULL;
	all->head = q->next;
	if (all->head == NULL)
		all->tail = NULL;
	if (all->due == q)
		all->due = q->next;
	all->n--;
	q->next = NULL;
	return q;
}

struct request *requests_expire(struct requests *all, int64_t now_ms)
{
	struct request *q = all->due;

	if (q == NULL || q->due_ms > now_ms)
		return NULL;
	all->due = q->next;
	return q;
}

void requests_close(struct requests *all)
{
	for (struct request *q = requests_pop(all); q != NULL; q = requests_pop(all))
		request_free(q);
}
