#ifndef TESTS_SAMPLE_H
#define TESTS_SAMPLE_H

/* Invocations, of events as an edge would send them, made by hand. */

#include "broker/payload/event.h"

enum {
	CONNECT = GATEPOST__EVENT__KIND__CONNECT,
	MESSAGE = GATEPOST__EVENT__KIND__MESSAGE,
	DISCONNECT = GATEPOST__EVENT__KIND__DISCONNECT,
	HTTP = GATEPOST__EVENT__KIND__HTTP,
};

/* An event of connection AAEAAAACASNFZ4k= at 11/Nov/2024:11:35:24.561, which began 8 ms before. */
struct sample {
	int kind; /* CONNECT … */
	uint64_t seq;
	const char *host, *agent; /* of the context; NULL: id.example.com, none */
	const char *authorizer;   /* JSON; NULL: there was none */
	const char *kept; /* the upgrade's head in the context, as head; NULL: none */
	const char *head; /* "GET /dev?q=1\nName: value\n…"; NULL: no request */
	const char *body; /* NULL: none */
	size_t body_n;    /* 0: up to its zero */
	bool binary;
	uint16_t code;
};

/* What routes say of them. */
struct sample_setting {
	struct event_setting setting;
	struct event_route route;
	const char *path; /* HTTP: below the stage */
};

/* Without a setting and a route; freed with free(3). */
struct invocation *sample_invocation(const struct sample *b);

/* Stage dev, API abcdef1234, account 123456789012, us-east-1, and this route key. */
struct sample_setting sample_setting(const char *route_key);

/* The event's text, freed with free(3); the test fails when there is none. Frees in. */
char *sample_event(struct invocation *in, enum event_form form,
		   const struct sample_setting *s);

#endif
