#ifndef CLI_UP_SPAWN_H
#define CLI_UP_SPAWN_H

/*
 * Starting a program: in a process group of its own, so that Ctrl-C reaches the
 * supervisor only, and signalled by the kernel when the supervisor ends in any way.
 */

#include <stdbool.h>
#include <sys/types.h>

struct spawn {
	char *const *
		argv; /* ended by NULL; argv[0] is looked up in PATH when it has no slash */
	char *const *
		env; /* "NAME=value", over what we have; ended by NULL; NULL: what we have */
	const char *folder; /* where it runs; NULL: where we do */
	const char *const *
		keeps; /* of what we have, names as for fnmatch(3); ended by NULL; NULL: all of it */
	bool knows_redis; /* it keeps GATEPOST_REDIS, which may have a password in it */
	const char *
		notify; /* the Unix datagram socket where it reports with sd_notify(3); NULL: a foreign program */
	int output; /* descriptor for its stdout and stderr; -1: our stderr */
};

/*
 * Start a program. Its stdin is /dev/null. It gets only what it needs: the environment of this process
 * may have passwords in them.
 *
 * returns  its pid; or -1 with errno of the fork or of the exec (ENOENT: no such program)
 */
pid_t spawn_program(const struct spawn *how);

/*
 * Fork without exec. In the child, signals do what they do in a new program, and it gets
 * SIGTERM when we end.
 *
 * returns  as fork(2)
 */
pid_t spawn_fork(void);

#endif
