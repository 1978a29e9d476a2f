#ifndef BASE_LOG_H
#define BASE_LOG_H

/*
 * One line for one event: time, level, process, name (a fixed noun.verb), then pairs.
 *
 *   log_info("connection.open", S("id", id), S("peer", peer), I("edge", 3));
 *
 *   2026-11-22T10:31:04.512Z info edge-2 connection.open id=AAIAAAAMQb8= peer=10.0.0.7:51622 edge=3
 *   {"time":"2026-11-22T10:31:04.512Z","level":"info","process":"edge-2","event":"connection.open","id":"AAIAAAAMQb8=",…}
 *
 * Levels: debug (each change of state), info (connections' processes, links and
 * settings come and go), warn (something was refused or shed), error (a person
 * should look). Nothing per message above debug. No secrets, no payloads. Values
 * from outside are escaped, so that a client cannot forge a line.
 */

#include "base/span.h"

#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };

struct log_field {
	const char *key; /* NULL ends the list */
	enum { LOG_STRING, LOG_NUMBER, LOG_SPAN } kind;
	const char *string;
	int64_t number;
	struct span span;
};

#define S(k, v) ((struct log_field){.key = (k), .kind = LOG_STRING, .string = (v)})
#define I(k, v)                                                                          \
	((struct log_field){.key = (k), .kind = LOG_NUMBER, .number = (int64_t)(v)})
#define B(k, v) ((struct log_field){.key = (k), .kind = LOG_SPAN, .span = (v)})

/* Set the process's name, the minimum level and the format. Until then: "gatepost", info, text. name is copied. */
void log_init(const char *name, enum log_level least, enum log_format format);

/* The fields end with one whose key is NULL. Writes one whole line to stderr. */
void log_write(enum log_level level, const char *what, const struct log_field *fields);

/* Would a line of this level be written? */
bool log_is_on(enum log_level level);

/* A line that outsiders can cause at will: at most one a second for each flood, with the number of lines left out. */
struct log_flood {
	int64_t second;
	uint64_t left_out;
};
void log_write_flood(struct log_flood *f, enum log_level level, const char *what,
		     const struct log_field *fields);

#define LOG_FIELDS(...)                                                                  \
	((const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){.key = NULL}})

#define log_debug(what, ...)                                                             \
	(log_is_on(LOG_DEBUG) ? log_write(LOG_DEBUG, what, LOG_FIELDS(__VA_ARGS__))      \
			      : (void)0)
#define log_info(what, ...)  log_write(LOG_INFO, what, LOG_FIELDS(__VA_ARGS__))
#define log_warn(what, ...)  log_write(LOG_WARN, what, LOG_FIELDS(__VA_ARGS__))
#define log_error(what, ...) log_write(LOG_ERROR, what, LOG_FIELDS(__VA_ARGS__))

/* As log_info and log_warn, for lines that outsiders can cause at will; each place in the code is one flood. */
#define log_info_flood(what, ...)                                                        \
	do {                                                                             \
		static struct log_flood flood_;                                          \
		log_write_flood(&flood_, LOG_INFO, what, LOG_FIELDS(__VA_ARGS__));       \
	} while (0)
#define log_warn_flood(what, ...)                                                        \
	do {                                                                             \
		static struct log_flood flood_;                                          \
		log_write_flood(&flood_, LOG_WARN, what, LOG_FIELDS(__VA_ARGS__));       \
	} while (0)

#endif
