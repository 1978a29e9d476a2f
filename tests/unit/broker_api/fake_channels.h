#ifndef TESTS_UNIT_BROKER_API_FAKE_CHANNELS_H
#define TESTS_UNIT_BROKER_API_FAKE_CHANNELS_H

/*
 * Stands in for what channels are made of: publications, reads and clients' actions wait here until a
 * test ends them. There are the namespaces room (with history and presence), tick (without) and default.
 */

#include "broker/api/channel_api.h"

enum { CHANNELS_ASKED_MOST = 16, CHANNELS_TEXT = 256 };

struct fake_publication {
	char channel[CHANNELS_TEXT], data[CHANNELS_TEXT], key[CHANNELS_TEXT],
		user[CHANNELS_TEXT], tag[CHANNELS_TEXT];
	bool is_binary, has_version, receipt;
	uint64_t version;
	publish_fn *fn;
	void *arg;
};

struct fake_read {
	char channel[CHANNELS_TEXT];
	read_fn *fn;                 /* of reads */
	presence_page_fn *on_counts; /* of counts */
	void *arg;
};

/* An action of client_do. */
struct fake_action {
	enum channel_verb verb;
	char json[CHANNELS_TEXT], context[CHANNELS_TEXT];
	struct id id;
	bool is_trusted;
	client_fn *fn;
	void *arg;
};

struct fake_channels {
	struct fake_publication publications[CHANNELS_ASKED_MOST];
	struct fake_read reads[CHANNELS_ASKED_MOST], counts[CHANNELS_ASKED_MOST];
	struct fake_action actions[CHANNELS_ASKED_MOST];
	size_t n_publications, n_reads, n_counts, n_actions;
	char cleared[CHANNELS_TEXT];
	store_done_fn *on_cleared;
	void *cleared_arg;
	const char *carried[8]; /* in order; NULL behind the last */
	size_t refs;            /* of the configuration */
};
extern struct fake_channels fake_channels;

/* For management_uses. */
struct channel_api_uses fake_channels_uses(void);

#endif
