#ifndef CLI_UP_UP_CONF_H
#define CLI_UP_UP_CONF_H

/* The settings of `gatepost up`. */

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define UP_DATA_NONE "none"

struct up_conf {
	const char *listen, *management, *metrics;
	int64_t edges, brokers;
	const char *stage;     /* NULL: the configuration's */
	const char *config;    /* NULL: the one of the folder, if there is one */
	const char *python;    /* NULL: the project's, or that of PATH */
	int64_t default_route; /* in words: up_conf_default_route */
	const char *redis, *redis_prefix;
	const char *data; /* NULL: the project's; UP_DATA_NONE: a temporary folder */
	bool fresh;
	int64_t fsync; /* in words: up_conf_fsync */
	const char *redis_ca, *redis_cert, *redis_key;
	bool demo, once;
	const char *ready_file;
	int64_t profile;
	int64_t drain_delay_ms, drain_ms; /* of the edges */
	int64_t log_level, log_format;    /* enum log_level, enum log_format */
};

/* As conf_load, and what one row alone cannot tell. */
must_use enum err up_conf_load(struct up_conf *out, int argc, char **argv);

/* The words of the choices, as flags take them. */
const char *up_conf_default_route(const struct up_conf *c);
const char *up_conf_log_level(const struct up_conf *c);
const char *up_conf_log_format(const struct up_conf *c);
const char *up_conf_fsync(const struct up_conf *c);
const char *up_conf_profile(const struct up_conf *c);

#endif
