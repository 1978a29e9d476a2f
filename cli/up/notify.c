#include "cli/up/notify.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
	TURN = 64, /* datagrams taken in one callback */
	DATAGRAM =
		65536, /* bytes; a longer one is cut, and its last line does not count */
};

struct notify {
	int fd;
	struct event *readable;
	notify_fn *fn;
	void *arg;
	char *path;
};

static int bind_datagram(const char *path);
static void on_readable(evutil_socket_t fd, short what, void *arg);
static pid_t take_one(int fd, char *text, size_t room);
static pid_t sender_of(struct msghdr *head);

struct notify *notify_new(struct loop *l, const char *path, notify_fn *fn, void *arg)
{
	int fd = bind_datagram(path);

	if (fd == -1)
		return NULL;

	struct notify *n = xcalloc(1, sizeof *n);
	n->fd = fd;
	n->fn = fn;
	n->arg = arg;
	n->path = xstrdup(path);
	n->readable = event_new(loop_base(l), fd, EV_READ | EV_PERSIST, on_readable, n);
	event_add(n->readable, NULL);
	return n;
}

static int bind_datagram(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int on = 1;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1)
		return -1;
	snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
	if (bind(fd, (struct sockaddr *)&at, sizeof at) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

void notify_free(struct notify *n)
{
	if (n == NULL)
		return;
	event_free(n->readable);
	close(n->fd);
	unlink(n->path);
	free(n->path);
	free(n);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	notify_take(arg);
}

void notify_take(struct notify *n)
{
	char text[DATAGRAM + 1];

	for (int i = 0; i < TURN; i++) {
		pid_t pid = take_one(n->fd, text, sizeof text);

		if (pid == -1)
			return;
		n->fn(n->arg, pid, text);
	}
}

/* The sender's pid, 0 when the kernel does not know it; -1 when there is nothing to take. */
static pid_t take_one(int fd, char *text, size_t room)
{
	union {
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control;
	struct iovec body = {text, room - 1};
	struct msghdr head = {
		.msg_iov = &body,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control,
	};
	ssize_t n = recvmsg(fd, &head, MSG_CMSG_CLOEXEC);

	if (n == -1)
		return -1;
	text[n] = '\0';
	if (head.msg_flags & MSG_TRUNC) {
		char *last = strrchr(text, '\n');
		*(last ? last : text) = '\0';
	}
	return sender_of(&head);
}

static pid_t sender_of(struct msghdr *head)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(head); c; c = CMSG_NXTHDR(head, c)) {
		struct ucred who;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS)
			continue;
		memcpy(&who, CMSG_DATA(c), sizeof who);
		return who.pid;
	}
	return 0;
}

char *notify_value(const char *text, const char *name)
{
	size_t n = strlen(name);
	char *found = NULL;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, n) != 0 || line[n] != '=')
			continue;
		free(found);
		found = xasprintf("%.*s", (int)strcspn(line + n + 1, "\n"), line + n + 1);
	}
	return found;
}
