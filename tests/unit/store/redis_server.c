#include "tests/unit/store/redis_server.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct timeval patience = {.tv_sec = 20};

/* sd_notify(3)'s other end: Redis says itself when it is ready. */
static int listen_for_ready(const struct redis_server *s, char *path, size_t n)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(path, n, "%s/notify.sock", s->folder);
	snprintf(sa.sun_path, sizeof sa.sun_path, "%s", path);
	unlink(path);
	cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&sa, sizeof sa) == 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	return fd;
}

static _Noreturn void run(const struct redis_server *s, const char *notify, pid_t parent)
{
	char port[8];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	snprintf(port, sizeof port, "%u", s->port);
	setenv("NOTIFY_SOCKET", notify, 1);

	char *extra = s->extra == NULL ? NULL : strdup(s->extra);
	char *value = extra == NULL ? NULL : strchr(extra, ' ');
	char name[64] = "--";

	if (value != NULL) {
		*value++ = '\0';
		snprintf(name, sizeof name, "--%s", extra);
	}
	execlp("redis-server", "redis-server", "--supervised", "systemd", "--port", port,
	       "--bind", "127.0.0.1", "--unixsocket", s->socket, "--save", "", "--dir",
	       s->folder, "--logfile", "redis.log", value == NULL ? NULL : name, value,
	       NULL);
	_exit(1);
}

void redis_server_restart(struct redis_server *s)
{
	char notify[104], text[256] = "";
	int fd = listen_for_ready(s, notify, sizeof notify);
	pid_t parent = getpid();

	s->pid = fork();
	if (s->pid == 0)
		run(s, notify, parent);
	while (strstr(text, "READY=1") == NULL) {
		ssize_t n = recv(fd, text, sizeof text - 1, 0);

		cr_assert(n > 0, "redis-server did not start: see %s/redis.log",
			  s->folder);
		text[n] = '\0';
	}
	close(fd);
}

void redis_server_start(struct redis_server *s)
{
	snprintf(s->folder, sizeof s->folder, "/tmp/gatepost-store-XXXXXX");
	cr_assert(mkdtemp(s->folder) != NULL);
	snprintf(s->socket, sizeof s->socket, "%s/redis.sock", s->folder);
	snprintf(s->url, sizeof s->url, "unix:%s", s->socket);
	redis_server_restart(s);
}

void redis_server_kill(struct redis_server *s)
{
	if (s->pid <= 0)
		return;
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	s->pid = 0;
}

void redis_server_freeze(struct redis_server *s)
{
	kill(s->pid, SIGSTOP);
	waitpid(s->pid, NULL, WUNTRACED);
}

void redis_server_thaw(struct redis_server *s)
{
	kill(s->pid, SIGCONT);
}

void redis_server_stop(struct redis_server *s)
{
	static const char *const files[] = {"redis.sock", "notify.sock", "redis.log"};
	char path[128];

	redis_server_kill(s);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "%s/%s", s->folder, files[i]);
		unlink(path);
	}
	rmdir(s->folder);
}
