#include "runtime_bed.h"

#include "base/address.h"
#include "base/clock.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct runtime_bed runtime_bed;

static void on_end(void *arg, const struct result *r)
{
	int i = runtime_bed.n++;

	runtime_bed.ended[i].kind = r->kind;
	runtime_bed.ended[i].which = arg;
	snprintf(runtime_bed.ended[i].why, sizeof runtime_bed.ended[i].why, "%s",
		 r->why ? r->why : "");
	snprintf(runtime_bed.ended[i].payload, sizeof runtime_bed.ended[i].payload,
		 "%.*s", SPAN_ARG(r->payload));
	if (runtime_bed.frees)
		runtime_free(runtime_bed.runtime);
}

void set_up(int64_t queue, int64_t wait_ms)
{
	runtime_bed = (struct runtime_bed){.loop = loop_new(), .metrics = metrics_new()};
	runtime_bed.runtime = runtime_new(runtime_bed.loop, runtime_bed.metrics,
					  &(struct runtime_conf){.function = "f",
								 .address = "127.0.0.1:0",
								 .queue = queue,
								 .wait_ms = wait_ms});
	cr_assert_not_null(runtime_bed.runtime);
}

void tear_down(void)
{
	if (!runtime_bed.frees)
		runtime_free(runtime_bed.runtime);
	loop_free(runtime_bed.loop);
	metrics_free(runtime_bed.metrics);
}

void turn(void)
{
	struct timeval a_moment = {.tv_usec = 1000};

	event_base_loopexit(loop_base(runtime_bed.loop), &a_moment);
	event_base_dispatch(loop_base(runtime_bed.loop));
}

void invoke_for(const char *id, int64_t timeout_ms, bool again)
{
	runtime_invoke(runtime_bed.runtime,
		       &(struct runtime_request){.id = id,
						 .arn = "arn:aws:lambda:r:1:function:f",
						 .event = blob_new(span_str("{\"a\":1}")),
						 .timeout_ms = timeout_ms,
						 .again = again},
		       on_end, (void *)(uintptr_t)id);
}

void invoke(const char *id)
{
	invoke_for(id, PATIENCE_MS, false);
}

void ended(int n)
{
	int64_t until = clock_ms() + PATIENCE_MS;

	while (runtime_bed.n < n && clock_ms() < until)
		turn();
	cr_assert_eq(runtime_bed.n, n);
}

/* Workers */

int worker(void)
{
	struct address a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_eq(address_parse(runtime_address(runtime_bed.runtime), &a), OK);
	cr_assert_eq(connect(fd, (struct sockaddr *)&a.sa, a.n), 0);
	return fd;
}

void say(int fd, const char *method, const char *path, const char *body)
{
	char *text =
		xasprintf("%s %s HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n%s",
			  method, path, strlen(body), body);

	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	free(text);
}

void polls(int fd)
{
	say(fd, "GET", "/2018-06-01/runtime/invocation/next", "");
}

bool hears(int fd)
{
	char c;

	for (int i = 0; i < 20; i++)
		turn();
	return recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

int response(int fd, char text[TEXT])
{
	int64_t until = clock_ms() + PATIENCE_MS;
	size_t n = 0, whole = TEXT - 1;

	text[0] = '\0';
	while (n < whole && clock_ms() < until) {
		ssize_t got = recv(fd, text + n, 1, MSG_DONTWAIT);

		if (got == 0)
			break;
		if (got == -1) {
			turn();
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

int status(int fd)
{
	char text[TEXT];

	return response(fd, text);
}

bool is_given(int fd, const char *id)
{
	char text[TEXT], *header = xasprintf("Lambda-Runtime-Aws-Request-Id: %s\r\n", id);
	bool given = response(fd, text) == 200 && strstr(text, header) != NULL;

	free(header);
	return given;
}

int answers(int fd, const char *id, const char *how, const char *body)
{
	char path[200];

	snprintf(path, sizeof path, "/2018-06-01/runtime/invocation/%s/%s", id, how);
	say(fd, "POST", path, body);
	return status(fd);
}

void tear(int fd)
{
	close(fd);
	for (int i = 0; i < 5; i++)
		turn();
}
