#ifndef CLI_UP_TASK_H
#define CLI_UP_TASK_H

/* A function that may wait, run in a process of its own, so that the loop goes on. */

#include "base/loop.h"

struct task;

/* In the new process; what it returns is its exit status. */
typedef int task_fn(void *arg);

/* In ours, once; status is 1 when the process was killed. */
typedef void task_done_fn(void *arg, int status);

/* Returns NULL with errno set when there cannot be another process. */
struct task *task_start(struct loop *l, task_fn *fn, task_done_fn *done, void *arg);

/* Kills what still runs; done is not called any more. NULL is fine. */
void task_free(struct task *t);

#endif
