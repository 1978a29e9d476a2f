#ifndef CONFIG_READING_H
#define CONFIG_READING_H

/*
 * One reading of a configuration: what is known so far, and what was reported. The code that finds
 * a mistake reports it here and continues, so that one run reports all of them; a reading with
 * errors gives no configuration.
 */

#include "config/config.h"
#include "config/node.h"

/* The way to a value, for messages: functions.say.events[0].websocket */
struct key {
	const struct key *up; /* NULL: at the top */
	const char *name;     /* NULL: an item of a list */
	size_t index;
};

/* A value under its key. Its node has no variables any more, but what is below may have. */
struct value {
	const struct node *node;
	struct key key;
};

/* A function of the file that may turn out to be of use. */
struct draft {
	struct value value;
	bool used;
	size_t index; /* used: in config->functions */
};

/* The settings of provider: for all functions. */
struct provider {
	char *runtime; /* NULL: not set */
	int64_t timeout_s, memory_mb;
	struct config_pair *environment;
	size_t n_environment;
};

/* The settings of gatepost: for all functions. */
struct limits {
	int64_t workers;
	int64_t timeout_s;
};

/* A file that ${file()} named. */
struct opened {
	const char *path;
	const struct node *root;
};
enum { READING_FILES = 64 };

/* A table of resources:, found by its logical id. */
struct resource {
	struct key key;          /* resources.Resources.ID */
	struct value properties; /* node NULL: it has none */
	struct place at;
	bool is_simple;   /* AWS::Serverless::SimpleTable */
	bool is_naming;   /* its name is being resolved */
	bool is_left_out; /* its name or another part cannot be resolved, which was said */
	const char *name; /* NULL until it is known */
};

struct reading {
	const struct config_options *options;
	struct config *config; /* in the making */
	struct tree *tree;
	const struct node *root; /* of the file; NULL until it is there */
	char *folder;      /* that the file is in; paths in the file are relative to it */
	const char *stage; /* NULL until it is known */
	struct dotenv *dotenv; /* NULL: none */
	char *instance;        /* ${sls:instanceId}; NULL until it is used */
	struct provider provider;
	struct limits limits;
	struct value channels; /* gatepost.channels; node NULL: there is none */
	struct value ports;    /* gatepost.ports; the same */
	struct draft *drafts;
	size_t n_drafts;
	struct opened opened[READING_FILES];
	size_t n_opened;
	struct resource **resources; /* tables alone */
	size_t n_resources;
	const struct node **parameters; /* the mappings Parameters of resources: */
	size_t n_parameters;
	struct config_statement *statements; /* of the provider: on tables alone */
	size_t n_statements;
	size_t variables, variable_bytes; /* resolved so far */
	size_t functions;                 /* of CloudFormation, applied so far */
	unsigned lenient; /* above 0: what is wrong is ignored, with an info line */
	size_t errors, infos;
};

/* A mistake: no configuration will come of this reading; while it is lenient, an info line alone. key: NULL when there is none. */
void reading_error(struct reading *r, struct place at, const struct key *key,
		   const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Something that is ignored, or handled differently than expected. */
void reading_info(struct reading *r, struct place at, const struct key *key,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* The path of a file that the configuration names, from where we are; freed with free(3). */
char *reading_file(const struct reading *r, const char *name);

#endif
