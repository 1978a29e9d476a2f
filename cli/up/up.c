/*
 * `gatepost up`, in the order of happening:
 *
 *   up_run       settings, the project's configuration, folders, ports; then the loop
 *   on_ready     all are ready: print the endpoints; the demo
 *   on_signal    stop; a second one hurries
 *   on_stopped   the end
 */
#include "cli/up/up.h"

#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "cli/up/demo.h"
#include "cli/up/cluster.h"
#include "cli/up/keys.h"
#include "cli/up/port.h"
#include "cli/up/project.h"
#include "cli/up/task.h"
#include "cli/up/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	FAILED = 1,
	BAD_SETTINGS = 2,
	NOTICE_MS = 10000,  /* between two lines that name a process that is not ready */
	ONCE_PATIENCES = 6, /* after that many, --once gives up */
};

struct up {
	struct up_conf conf;
	struct project project;
	struct keys *keys;       /* of the functions; NULL: the same */
	struct workers *workers; /* NULL: nothing but what is built in */
	struct folder folder;
	struct cluster cluster;
	struct endpoints endpoints;
	int listen_port, management_port; /* descriptors that keep the ports; -1: none */
	struct loop *loop;
	struct supervisor *supervisor;
	struct timer *notice;
	int notices;
	struct demo_plan demo;
	struct task *demo_task;
	bool was_ready, stopping, has_terminal;
	int status;
};

static bool take_ports(struct up *u);
static bool metrics_are_free(struct up *u);
static bool make_folders(struct up *u);
static void name_endpoints(struct up *u);
static bool run(struct up *u);
static bool make_keys(struct up *u);
static bool add_workers(struct up *u);
static void on_told(void *arg, struct child *c, const char *text);
static void on_gone(void *arg, struct child *c);
static bool terminal_is_there(void);
static void on_reload(void *arg);
static void on_ready(void *arg);
static void start_demo(struct up *u);
static int run_demo(void *arg);
static void on_demo_done(void *arg, int status);
static void on_notice(void *arg);
static void on_signal(void *arg);
static void stop(struct up *u, int status);
static void on_stopped(void *arg);
static void up_close(struct up *u);

int up_run(int argc, char **argv)
{
	struct up u = {.listen_port = -1, .management_port = -1, .folder.lock = -1};
	enum err e = up_conf_load(&u.conf, argc, argv);

	if (e != OK)
		return e == ERR_EXIT ? 0 : BAD_SETTINGS;

	log_init("gatepost", (enum log_level)u.conf.log_level,
		 (enum log_format)u.conf.log_format);
	if (!project_read(&u.project, &u.conf) || !take_ports(&u) ||
	    !metrics_are_free(&u) || !make_folders(&u))
		u.status = BAD_SETTINGS;
	else if (!run(&u))
		u.status = FAILED;
	up_close(&u);
	return u.status;
}

/* Before the start. */

static bool take_ports(struct up *u)
{
	struct cluster *h = &u->cluster;

	u->listen_port = port_reserve(u->conf.listen, "--listen", &h->listen);
	if (u->listen_port == -1)
		return false;
	u->management_port =
		port_reserve(u->conf.management, "--management", &h->management);
	return u->management_port != -1;
}

/* Each is tried and let go: a process takes its own. */
static bool metrics_are_free(struct up *u)
{
	struct address first, a, at;
	unsigned n = (unsigned)(u->conf.edges + u->conf.brokers);
	int fd = port_reserve(u->conf.metrics, "--metrics", &at);

	if (fd == -1 || address_parse(u->conf.metrics, &first) != OK)
		return false;
	close(fd);
	u->cluster.metrics = first;
	for (unsigned i = 1; i < n; i++) {
		char text[ADDRESS_TEXT];

		if (port_next(&first, i, &a) != OK) {
			fprintf(stderr,
				"gatepost up: --metrics %s: %u processes need as many "
				"ports, up to 65535\n",
				u->conf.metrics, n);
			return false;
		}
		address_text((struct sockaddr *)&a.sa, text);
		fd = port_reserve(text, "--metrics", &at);
		if (fd == -1)
			return false;
		close(fd);
	}
	return true;
}

static void name_endpoints(struct up *u)
{
	struct address listen = port_reach(&u->cluster.listen);
	struct address management = port_reach(&u->cluster.management);
	char text[ADDRESS_TEXT];

	address_text((struct sockaddr *)&listen.sa, text);
	u->endpoints = (struct endpoints){
		.websocket = xasprintf("ws://%s/%s", text, u->project.stage),
		.http = xasprintf("http://%s", text),
		.stage = xstrdup(u->project.stage),
		.redis = household_redis(&u->cluster),
	};
	address_text((struct sockaddr *)&management.sa, text);
	u->endpoints.management = xasprintf("http://%s", text);
}

static bool make_folders(struct up *u)
{
	bool none = u->conf.data && strcmp(u->conf.data, UP_DATA_NONE) == 0;
	char *project = NULL;
	bool ok;

	if (!none && u->conf.redis == NULL && u->project.file)
		project = project_folder(&u->project);
	ok = folder_make(&u->folder, &(struct folder_plan){
					     .data = none ? NULL : u->conf.data,
					     .project = project,
					     .fresh = u->conf.fresh,
				     });
	free(project);
	return ok;
}

static bool run(struct up *u)
{
	struct supervisor_watch watch = {on_ready, on_stopped, on_told, on_gone, u};

	u->cluster.conf = &u->conf;
	u->cluster.config = u->project.file;
	u->cluster.stage = u->project.stage;
	u->cluster.folder = &u->folder;
	name_endpoints(u);
	/* To the brokers; not as a flag, which other users could read. */
	setenv("GATEPOST_REDIS", u->endpoints.redis, 1);
	if (u->conf.ready_file)
		unlink(u->conf.ready_file); /* of a run that was killed */

	if (!make_keys(u))
		return false;
	u->loop = loop_new();
	u->supervisor = supervisor_new(u->loop, u->folder.run, &watch);
	if (u->supervisor == NULL) {
		fprintf(stderr, "gatepost up: cannot make a socket in %s: %s\n",
			u->folder.run, strerror(errno));
		return false;
	}
	household_add(u->supervisor, &u->cluster);
	if (!add_workers(u))
		return false;
	u->has_terminal = terminal_is_there();
	loop_on_reload(u->loop, on_reload, u);
	u->notice = timer_new(u->loop, on_notice, u);
	timer_every(u->notice, NOTICE_MS);
	loop_on_signal(u->loop, on_signal, u);
	supervisor_start(u->supervisor);
	loop_run(u->loop);
	return true;
}

/* Brokers read the file when they start. */
static bool make_keys(struct up *u)
{
	if (u->project.file == NULL)
		return true;
	u->keys = keys_new(u->folder.run);
	u->cluster.function_keys = keys_file(u->keys);
	return keys_write(u->keys, u->project.config);
}

static bool add_workers(struct up *u)
{
	struct workers_plan plan = {
		.supervisor = u->supervisor,
		.file = u->project.file,
		.options = &u->project.options,
		.python = u->conf.python,
		.management = u->endpoints.management,
		.keys = u->keys,
		.brokers = (unsigned)u->conf.brokers,
		.json = u->conf.log_format == LOG_JSON,
	};
	struct config *functions = u->project.config;

	/* One that has none may have some when it is read again. */
	if (u->project.file == NULL)
		return true;
	u->project.config = NULL;
	u->workers = workers_new(&plan, functions);
	return u->workers != NULL;
}

/* While all run. */

static void on_told(void *arg, struct child *c, const char *text)
{
	struct up *u = arg;

	if (u->workers && !u->stopping)
		workers_told(u->workers, c, text);
}

static void on_gone(void *arg, struct child *c)
{
	struct up *u = arg;

	if (u->workers)
		workers_lost(u->workers, c);
}

static bool terminal_is_there(void)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd != -1)
		close(fd);
	return fd != -1;
}

/* SIGHUP: reload the configuration, or the terminal was closed. */
static void on_reload(void *arg)
{
	struct up *u = arg;
	const struct child *c;

	if (u->has_terminal && !terminal_is_there()) {
		on_signal(u);
		return;
	}
	for (size_t at = 0; u->project.file && (c = supervisor_next(u->supervisor, &at));)
		if (c->role == ROLE_BROKER && c->state == CHILD_READY)
			kill(c->pid, SIGHUP);
}

static void on_ready(void *arg)
{
	struct up *u = arg;

	timer_stop(u->notice);
	if (u->conf.ready_file &&
	    !ready_write(u->conf.ready_file, &u->endpoints, u->supervisor) &&
	    !u->was_ready) {
		stop(u, FAILED); /* with --once, a script waits for it */
		return;
	}
	if (u->was_ready)
		return;
	u->was_ready = true;
	ready_print(&u->endpoints,
		    u->workers ? workers_config(u->workers) : u->project.config,
		    u->supervisor);
	if (u->conf.demo)
		start_demo(u);
}

static void start_demo(struct up *u)
{
	u->demo = (struct demo_plan){
		.endpoints = &u->endpoints,
		.supervisor = u->supervisor,
		.prefix = u->conf.redis_prefix,
		.echoes = strcmp(up_conf_default_route(&u->conf), "builtin:echo") == 0,
	};
	u->demo_task = task_start(u->loop, run_demo, on_demo_done, u);
	if (u->demo_task == NULL) {
		log_error("demo.cannot_start", S("why", strerror(errno)));
		on_demo_done(u, FAILED);
	}
}

static int run_demo(void *arg)
{
	struct up *u = arg;

	return demo_run(&u->demo);
}

static void on_demo_done(void *arg, int status)
{
	struct up *u = arg;

	if (u->conf.once && !u->stopping)
		stop(u, status);
}

/* It is not ready yet: log which process is missing. */
static void on_notice(void *arg)
{
	struct up *u = arg;
	const struct child *c = supervisor_missing(u->supervisor);

	if (c == NULL)
		return;
	log_info("up.waiting", S("name", c->name),
		 I("since_ms", (int64_t)++u->notices * NOTICE_MS));
	if (!u->conf.once || u->notices < ONCE_PATIENCES)
		return;
	log_error("up.not_ready", S("name", c->name), S("why", "--once is set"));
	stop(u, FAILED);
}

/* The end. */

static void on_signal(void *arg)
{
	struct up *u = arg;

	log_info("up.stop",
		 S("how", u->stopping ? "at once" : "in order; again: at once"));
	stop(u, u->conf.once ? FAILED : 0); /* --once: the demo was not finished */
}

static void stop(struct up *u, int status)
{
	if (!u->stopping)
		u->status = status;
	u->stopping = true;
	timer_stop(u->notice);
	task_free(u->demo_task);
	u->demo_task = NULL;
	supervisor_stop(u->supervisor);
}

static void on_stopped(void *arg)
{
	struct up *u = arg;

	if (supervisor_status(u->supervisor))
		u->status = supervisor_status(u->supervisor);
	loop_stop(u->loop);
}

static void up_close(struct up *u)
{
	if (!u->was_ready && u->status && u->folder.run)
		folder_show_redis_log(&u->folder);
	if (u->conf.ready_file)
		unlink(u->conf.ready_file);
	task_free(u->demo_task);
	supervisor_free(u->supervisor);
	workers_free(u->workers);
	keys_free(u->keys);
	project_close(&u->project);
	timer_free(u->notice);
	loop_free(u->loop);
	if (u->listen_port != -1)
		close(u->listen_port);
	if (u->management_port != -1)
		close(u->management_port);
	endpoints_close(&u->endpoints);
	folder_remove(&u->folder);
}
