#include "http/body.h"

#include <assert.h>

enum { EXTRAS_MOST = 4096 };

/* Up to CONTENT a byte is looked at by itself; a chunked body goes round from SIZE to END. */
enum state {
	SIZE,       /* the digits of a chunk's size */
	BLANK,      /* blanks behind it: an extension must follow */
	EXTENSION,  /* anything up to the end of the line */
	SIZE_LF,    /* the line's CR was there */
	CONTENT_CR, /* the content of a chunk is over */
	CONTENT_LF,
	TRAILER, /* the beginning of a trailer, or of the empty line */
	NAME,
	VALUE,
	VALUE_LF,
	LAST_LF,
	CONTENT, /* of a chunk */
	LENGTH,  /* of a body with a Content-Length */
};

static enum err refuse(struct body_reader *b, enum err e, int status, const char *why)
{
	b->status = status;
	b->why = why;
	return e;
}

static enum err malformed(struct body_reader *b, const char *why)
{
	return refuse(b, ERR_MALFORMED, 400, why);
}

static enum err too_big(struct body_reader *b)
{
	return refuse(b, ERR_TOOBIG, 413, "The body is larger than this server takes.");
}

enum err body_begin(struct body_reader *b, const struct request *r, uint64_t most)
{
	assert(most < UINT64_MAX >> 4); /* so that no size overflows */
	*b = (struct body_reader){.room = most};
	if (r->chunked)
		return OK;
	if (r->content_length <= 0)
		return ERR_NOTFOUND;
	if ((uint64_t)r->content_length > most)
		return too_big(b);
	b->state = LENGTH;
	b->left = (uint64_t)r->content_length;
	return OK;
}

static int hex(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum err go_on(struct body_reader *b, enum state next)
{
	b->state = (uint8_t)next;
	b->any = false;
	return ERR_AGAIN;
}

/* Bytes of extensions and trailers, which are not used: more of them are an attack. */
static enum err extra(struct body_reader *b, enum state next)
{
	if (++b->extras > EXTRAS_MOST)
		return refuse(b, ERR_TOOBIG, 431,
			      "The chunk extensions and trailers are over the limit.");
	b->state = (uint8_t)next;
	return ERR_AGAIN;
}

/* RFC 9112 7.1: 1*HEXDIG. */
static enum err read_size(struct body_reader *b, uint8_t c)
{
	int digit = hex(c);

	if (digit < 0 && !b->any)
		return malformed(b, "A chunk must begin with its size in hex digits.");
	if (c == '\r')
		return go_on(b, SIZE_LF);
	if (c == ';')
		return extra(b, EXTENSION);
	if (c == ' ' || c == '\t')
		return extra(b, BLANK);
	if (digit < 0)
		return malformed(b, "A chunk's size is not a number in hex digits.");
	b->any = true;
	b->left = b->left << 4 | (unsigned)digit;
	if (b->left > b->room)
		return too_big(b);
	return b->left == 0 ? extra(b, SIZE) : ERR_AGAIN; /* zeros have no end else */
}

/* RFC 9110 5.5, and of chunk extensions as well: visible, obs-text, blank. */
static bool is_field_byte(uint8_t c)
{
	return (c >= ' ' && c != 0x7f) || c == '\t';
}

static enum err read_line(struct body_reader *b, uint8_t c, enum state same,
			  enum state next)
{
	if (c == '\r')
		return go_on(b, next);
	if (!is_field_byte(c))
		return malformed(b, "A line of a chunked body has a control byte.");
	return extra(b, same);
}

static enum err read_lf(struct body_reader *b, uint8_t c, enum state next)
{
	if (c != '\n')
		return malformed(b, "A CR must be followed by LF.");
	return next == LAST_LF ? OK : go_on(b, next);
}

static enum err read_name(struct body_reader *b, uint8_t c)
{
	if (c == ':' && b->state == NAME)
		return extra(b, VALUE);
	if (!request_is_token(span_of(&c, 1)))
		return malformed(b, "A trailer's name must be a token with a ':' right "
				    "after it.");
	return extra(b, NAME);
}

/* The last chunk has no content. */
static enum err end_size(struct body_reader *b, uint8_t c)
{
	b->room -= b->left;
	return read_lf(b, c, b->left > 0 ? CONTENT : TRAILER);
}

static enum err read_byte(struct body_reader *b, uint8_t c)
{
	switch ((enum state)b->state) {
	case SIZE: return read_size(b, c);
	case BLANK:
		if (c != ';' && c != ' ' && c != '\t')
			return malformed(b, "A chunk's size ends with CR LF or ';'.");
		return extra(b, c == ';' ? EXTENSION : BLANK);
	case EXTENSION: return read_line(b, c, EXTENSION, SIZE_LF);
	case SIZE_LF: return end_size(b, c);
	case CONTENT_CR:
		if (c != '\r')
			return malformed(b, "A chunk is longer than its size.");
		return go_on(b, CONTENT_LF);
	case CONTENT_LF: return read_lf(b, c, SIZE);
	case TRAILER: return c == '\r' ? go_on(b, LAST_LF) : read_name(b, c);
	case NAME: return read_name(b, c);
	case VALUE: return read_line(b, c, VALUE, VALUE_LF);
	case VALUE_LF: return read_lf(b, c, TRAILER);
	case LAST_LF: return read_lf(b, c, LAST_LF);
	case CONTENT:
	case LENGTH: break;
	}
	return ERR_AGAIN;
}

static enum err read_content(struct body_reader *b, struct span *in, struct span *piece)
{
	size_t n = in->n < b->left ? in->n : (size_t)b->left;

	*piece = span_of(in->p, n);
	*in = span_of(in->p + n, in->n - n);
	b->left -= n;
	if (b->left > 0)
		return ERR_AGAIN;
	return b->state == LENGTH ? OK : go_on(b, CONTENT_CR);
}

enum err body_read(struct body_reader *b, struct span *in, struct span *piece)
{
	enum err e = ERR_AGAIN;

	*piece = span_of(NULL, 0);
	while (e == ERR_AGAIN && in->n > 0) {
		if (b->state >= CONTENT)
			return read_content(b, in, piece);
		e = read_byte(b, in->p[0]);
		*in = span_of(in->p + 1, in->n - 1);
	}
	return e;
}
