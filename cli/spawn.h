#ifndef CLI_SPAWN_H
#define CLI_SPAWN_H

/*
 * Starting a program of ours: in a process group of its own, so that Ctrl-C reaches the
 * supervisor alone, and told to end by the kernel when the supervisor ends, however it does.
 */

#include <sys/types.h>

/*
 * Start argv[0], looked up in PATH when it has no slash; NULL ends argv. Its stdin is
 * /dev/null, its stdout and stderr are our stderr.
 *
 * notify   path of the Unix datagram socket where it reports with sd_notify(3)
 * returns  its pid; or -1 with errno of the fork or of the exec (ENOENT: no such program)
 */
pid_t spawn_program(char *const argv[], const char *notify);

/*
 * Fork without exec. In the child, signals do what they do in a new program, and it gets
 * SIGTERM when we end.
 *
 * returns  as fork(2)
 */
pid_t spawn_fork(void);

#endif
