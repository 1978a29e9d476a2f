#include "workers.h"

#include "runtime_fixture.h"
#include "base/address.h"
#include "base/clock.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int worker_new(void)
{
	struct address a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_eq(address_parse(runtime_address(runtime_fixture.runtime), &a), OK);
	cr_assert_eq(connect(fd, (struct sockaddr *)&a.sa, a.n), 0);
	return fd;
}

void worker_says(int fd, const char *method, const char *path, const char *body)
{
	char *text = xasprintf(
		"%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n%s",
		method, path, strlen(body), body);

	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	free(text);
}

void worker_polls(int fd)
{
	worker_says(fd, "GET", "/2018-06-01/runtime/invocation/next", "");
}

int worker_at(const char *id)
{
	int fd = worker_new();

	runtime_fixture_invoke(id);
	worker_polls(fd);
	cr_assert(worker_is_given(fd, id));
	return fd;
}

bool worker_hears(int fd)
{
	char c;

	for (int i = 0; i < 20; i++)
		runtime_fixture_turn();
	return recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

int worker_response(int fd, char text[TEXT])
{
	int64_t until = clock_ms() + PATIENCE_MS;
	size_t n = 0, whole = TEXT - 1;

	text[0] = '\0';
	while (n < whole && clock_ms() < until) {
		ssize_t got = recv(fd, text + n, 1, MSG_DONTWAIT);

		if (got == 0)
			break;
		if (got == -1) {
			runtime_fixture_turn();
			continue;
		}
		text[++n] = '\0';
		if (n > 4 && whole == TEXT - 1 && strcmp(text + n - 4, "\r\n\r\n") == 0)
			whole = n +
				(size_t)atoi(strcasestr(text, "Content-Length: ") + 16);
	}
	cr_assert_eq(n, whole, "%s", text);
	return atoi(text + sizeof "HTTP/1.1");
}

int worker_status(int fd)
{
	char text[TEXT];

	return worker_response(fd, text);
}

bool worker_is_given(int fd, const char *id)
{
	char text[TEXT], *header = xasprintf("Lambda-Runtime-Aws-Request-Id: %s\r\n", id);
	bool given = worker_response(fd, text) == 200 && strstr(text, header) != NULL;

	free(header);
	return given;
}

int worker_answers(int fd, const char *id, const char *how, const char *body)
{
	char path[200];

	snprintf(path, sizeof path, "/2018-06-01/runtime/invocation/%s/%s", id, how);
	worker_says(fd, "POST", path, body);
	return worker_status(fd);
}

void worker_dies(int fd)
{
	close(fd);
	for (int i = 0; i < 5; i++)
		runtime_fixture_turn();
}
