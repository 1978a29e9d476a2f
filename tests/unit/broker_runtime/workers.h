#ifndef TESTS_UNIT_BROKER_RUNTIME_WORKERS_H
#define TESTS_UNIT_BROKER_RUNTIME_WORKERS_H

/* Workers of the runtime of a runtime_fixture: each is a plain socket, closed by the test. */

#include <stdbool.h>

enum { TEXT = 8192 };

int worker_new(void);

/* One that has been given an invocation of this id, which is asked for here. */
int worker_at(const char *id);

/* A request. */
void worker_says(int fd, const char *method, const char *path, const char *body);

/* It asks for its next invocation. */
void worker_polls(int fd);

/* Has something come for it, when all has been done that could be? */
bool worker_hears(int fd);

/* One whole response; its status. */
int worker_response(int fd, char text[TEXT]);
int worker_status(int fd);

/* It has been given the invocation of this id. */
bool worker_is_given(int fd, const char *id);

/* It answers this invocation, how: "response" or "error"; the status that it gets. */
int worker_answers(int fd, const char *id, const char *how, const char *body);

/* The runtime has seen that. */
void worker_dies(int fd);

#endif
