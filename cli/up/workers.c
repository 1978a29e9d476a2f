/*
 * What a broker tells, and what follows:
 *
 *   X_GATEPOST_RUNTIMES=ping=127.0.0.1:4001,…          its workers are placed (place_all)
 *   X_GATEPOST_WORKER=polls 41233 127.0.0.1:4001 ping  one of them is ready
 *   X_GATEPOST_WORKER=works 41233 …                    one of them has something to do
 *   X_GATEPOST_WORKER=overdue 41233 …                  one of them hangs: it is killed
 */
#include "cli/up/workers.h"

#include "base/log.h"
#include "base/mem.h"
#include "cli/up/notify.h"
#include "cli/up/peer.h"
#include "cli/up/worker_environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct worker {
	struct child *child;
	char *function;
	unsigned broker, number;
	unsigned port;  /* from which its process polls; 0: not known */
	bool is_wanted; /* by the configuration as it is now */
	unsigned
		strangers; /* number 0: workers of the function that have worked, and ended before they could be identified */
};

struct workers {
	struct workers_plan plan;
	struct config *config;
	struct stat seen; /* the file when config was read */
	char *folder;
	struct worker *list;
	size_t n;
};

static bool can_run_all(const struct workers *w, const struct config *c);
static void add_all(struct workers *w);
static void read_again(struct workers *w);
static void place_all(struct workers *w, unsigned broker, const char *runtimes);
static void take_worker(struct workers *w, unsigned broker, const char *text);
static void lose_worker(struct workers *w, struct child *c);

struct workers *workers_new(const struct workers_plan *plan, struct config *config)
{
	struct workers *w = xcalloc(1, sizeof *w);
	char *file = realpath(plan->file, NULL);

	w->plan = *plan;
	w->config = config;
	(void)stat(plan->file, &w->seen);
	if (file)
		*strrchr(file, '/') = '\0';
	w->folder = file ? file : xstrdup(".");
	if (!can_run_all(w, config)) {
		workers_free(w);
		return NULL;
	}
	add_all(w);
	return w;
}

void workers_free(struct workers *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < w->n; i++)
		free(w->list[i].function);
	free(w->list);
	free(w->folder);
	config_free(w->config);
	free(w);
}

const struct config *workers_config(const struct workers *w)
{
	return w->config;
}

static struct runtime_plan plan_for(const struct workers *w,
				    const struct config_function *f)
{
	return (struct runtime_plan){
		.config = w->config,
		.function = f,
		.folder = w->folder,
		.python = w->plan.python,
		.management = w->plan.management,
		.key = w->plan.keys ? keys_find(w->plan.keys, f->name) : NULL,
	};
}

static bool can_run_all(const struct workers *w, const struct config *c)
{
	bool all = true;

	for (size_t i = 0; i < c->n_functions; i++) {
		struct runtime_plan p = plan_for(w, &c->functions[i]);
		char **argv;

		if (c->functions[i].sort != CONFIG_LAMBDA)
			continue;
		argv = runtime_argv(&p);
		all = all && argv != NULL;
		words_free(argv);
	}
	return all;
}

/* The wanted workers */

static struct worker *find(struct workers *w, const char *function, unsigned broker,
			   unsigned number)
{
	for (size_t i = 0; i < w->n; i++) {
		struct worker *k = &w->list[i];

		if (k->broker == broker && k->number == number &&
		    strcmp(k->function, function) == 0)
			return k;
	}
	return NULL;
}

static struct worker *add(struct workers *w, const char *function, unsigned broker,
			  unsigned number)
{
	char *name = xasprintf("fn-%s-%u", function, number * w->plan.brokers + broker);
	struct worker *k;

	w->list = xrealloc(w->list, (w->n + 1) * sizeof *w->list);
	k = &w->list[w->n++];
	*k = (struct worker){
		.function = xstrdup(function),
		.broker = broker,
		.number = number,
		.child = supervisor_add(
			w->plan.supervisor,
			(struct child_plan){
				.role = ROLE_FUNCTION,
				.name = name,
				.if_missing = "install it again, or set --python PATH",
				.folder = w->folder,
				.json = w->plan.json,
				.is_held = true,
			}),
	};
	free(name);
	return k;
}

/* The workers of one broker: add missing ones, and remove unwanted ones. */
static void reconcile(struct workers *w, unsigned broker)
{
	size_t kept = 0;

	for (size_t i = 0; i < w->n; i++)
		w->list[i].is_wanted = w->list[i].broker != broker;
	for (size_t i = 0; i < w->config->n_functions; i++) {
		const struct config_function *f = &w->config->functions[i];

		for (unsigned j = 0; f->sort == CONFIG_LAMBDA && j < f->workers; j++) {
			struct worker *k = find(w, f->name, broker, j);

			if (k == NULL)
				k = add(w, f->name, broker, j);
			k->is_wanted = true;
		}
	}
	for (size_t i = 0; i < w->n; i++) {
		if (w->list[i].is_wanted) {
			w->list[kept++] = w->list[i];
			continue;
		}
		supervisor_remove(w->plan.supervisor, w->list[i].child);
		free(w->list[i].function);
	}
	w->n = kept;
}

static void add_all(struct workers *w)
{
	for (unsigned b = 0; b < w->plan.brokers; b++)
		reconcile(w, b);
}

/* Reports of brokers */

static bool broker_number(const struct child *c, unsigned *out)
{
	return c->role == ROLE_BROKER && sscanf(c->name, "broker-%u", out) == 1;
}

void workers_told(struct workers *w, struct child *broker, const char *text)
{
	unsigned b;
	char *runtimes, *worker;

	if (!broker_number(broker, &b))
		return;
	runtimes = notify_value(text, "X_GATEPOST_RUNTIMES");
	worker = notify_value(text, "X_GATEPOST_WORKER");
	if (runtimes) {
		read_again(w);
		reconcile(w, b);
		place_all(w, b, runtimes);
	}
	if (worker)
		take_worker(w, b, worker);
	free(runtimes);
	free(worker);
}

/* The broker has read it, and found no mistake; if it has changed once more, the broker comes again. */
static void read_again(struct workers *w)
{
	struct stat now;
	struct config *c;

	if (stat(w->plan.file, &now) != 0 ||
	    (now.st_ino == w->seen.st_ino && now.st_size == w->seen.st_size &&
	     now.st_mtim.tv_sec == w->seen.st_mtim.tv_sec &&
	     now.st_mtim.tv_nsec == w->seen.st_mtim.tv_nsec))
		return;
	c = config_read(w->plan.file, w->plan.options);
	if (c == NULL)
		return;
	config_free(w->config);
	w->config = c;
	w->seen = now;
	if (w->plan.keys)
		keys_write(w->plan.keys, c);
}

/*
 * "127.0.0.1:4001" of a function in "ping=127.0.0.1:4001,rooms=…"; freed by the caller. The
 * last one: while a function that has a new handler ends, it is there twice.
 */
static char *address_of(const char *runtimes, const char *function)
{
	size_t n = strlen(function);
	char *found = NULL;

	for (const char *at = runtimes; *at;) {
		size_t length = strcspn(at, ",");

		if (length > n && strncmp(at, function, n) == 0 && at[n] == '=') {
			free(found);
			found = xasprintf("%.*s", (int)(length - n - 1), at + n + 1);
		}
		at += length + (at[length] == ',');
	}
	return found;
}

static void place(struct workers *w, const struct worker *k,
		  const struct config_function *f, const char *address)
{
	struct runtime_plan p = plan_for(w, f);
	char **argv = runtime_argv(&p);

	if (argv == NULL)
		return;
	p.worker = k->child->name;
	p.address = address;
	child_place(k->child, argv, worker_environment(&p));
}

static void place_all(struct workers *w, unsigned broker, const char *runtimes)
{
	for (size_t i = 0; i < w->config->n_functions; i++) {
		const struct config_function *f = &w->config->functions[i];
		char *address = address_of(runtimes, f->name);

		for (unsigned j = 0; address && j < f->workers; j++) {
			struct worker *k = find(w, f->name, broker, j);

			if (k)
				place(w, k, f, address);
		}
		free(address);
	}
}

void workers_lost(struct workers *w, struct child *c)
{
	unsigned b;

	if (c->role == ROLE_FUNCTION)
		lose_worker(w, c);
	if (!broker_number(c, &b))
		return;
	for (size_t i = 0; i < w->n; i++)
		if (w->list[i].broker == b)
			child_hold(w->list[i].child);
}

static void lose_worker(struct workers *w, struct child *c)
{
	for (size_t i = 0; i < w->n; i++) {
		struct worker *k = &w->list[i];
		struct worker *first = find(w, k->function, k->broker, 0);

		if (k->child != c)
			continue;
		if (k->port == 0 && first && first->strangers > 0) {
			first->strangers--;
			child_has_worked(c);
		}
		k->port = 0;
	}
}

/* The worker of a connection: by earlier reports, else by the socket that its process has open. */
static struct worker *whose(const struct workers *w, unsigned broker,
			    const char *function, unsigned port, unsigned remote)
{
	uint64_t socket;

	for (size_t i = 0; i < w->n; i++)
		if (w->list[i].broker == broker && w->list[i].port == port &&
		    strcmp(w->list[i].function, function) == 0)
			return &w->list[i];
	socket = peer_socket((uint16_t)port, (uint16_t)remote);
	for (size_t i = 0; socket && i < w->n; i++) {
		const struct child *c = w->list[i].child;

		if (w->list[i].broker == broker && c->pid && peer_has(c->pid, socket))
			return &w->list[i];
	}
	return NULL;
}

/*
 * A worker that dies of the first thing that it is given may be gone before we have read
 * that it polls. The next of its function that ends and was never found must have been it.
 */
static void note_stranger(struct workers *w, unsigned broker, const char *function)
{
	struct worker *first = find(w, function, broker, 0);
	unsigned unknown = 0;

	for (size_t i = 0; i < w->n; i++)
		unknown += w->list[i].broker == broker && w->list[i].port == 0 &&
			   strcmp(w->list[i].function, function) == 0;
	if (first && first->strangers < unknown)
		first->strangers++;
}

static void take_worker(struct workers *w, unsigned broker, const char *text)
{
	char what[16];
	unsigned port, remote;
	int at = 0;
	struct worker *k;

	if (sscanf(text, "%15s %u %*[^:]:%u %n", what, &port, &remote, &at) != 3)
		return;
	k = whose(w, broker, text + at, port, remote);
	if (k == NULL) { /* ended, or foreign */
		if (strcmp(what, "works") == 0)
			note_stranger(w, broker, text + at);
		return;
	}
	k->port = port;
	if (strcmp(what, "polls") == 0) {
		supervisor_ready(w->plan.supervisor, k->child);
	} else if (strcmp(what, "works") == 0) {
		child_has_worked(k->child);
	} else if (strcmp(what, "overdue") == 0) {
		log_warn("function.timeout", S("name", k->child->name),
			 I("pid", k->child->pid),
			 S("hint", "see why it is slow, or raise its timeout"));
		child_renew(k->child);
	}
}
