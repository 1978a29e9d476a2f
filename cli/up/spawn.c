/*
 * Starting a program: what happens between fork and exec.
 *
 *   spawn_program   a pipe that exec closes, a fork
 *   become          in the child: streams, surroundings, exec; or errno into the pipe
 *   exec_errno      in the parent: what came out of the pipe
 */
#include "cli/up/spawn.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void become(const struct spawn *how, int failure) __attribute__((noreturn));
static void surround(const struct spawn *how);
static int exec_errno(int failure);
static void forget_handlers(void);

pid_t spawn_program(const struct spawn *how)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) == -1)
		return -1;

	pid_t pid = spawn_fork();
	if (pid == 0)
		become(how, ends[1]);

	int why = pid == -1 ? errno : 0;
	close(ends[1]);
	if (pid > 0)
		why = exec_errno(ends[0]);
	close(ends[0]);
	if (why == 0)
		return pid;
	if (pid > 0)
		waitpid(pid, NULL, 0);
	errno = why;
	return -1;
}

static void become(const struct spawn *how, int failure)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	setpgid(0, 0);
	dup2(null, STDIN_FILENO);
	if (how->output != -1)
		dup2(how->output, STDERR_FILENO);
	dup2(STDERR_FILENO, STDOUT_FILENO); /* stdout is for the endpoints and the demo */
	surround(how);
	if (how->folder == NULL || chdir(how->folder) == 0)
		execvp(how->argv[0], how->argv);

	int why = errno;
	if (write(failure, &why, sizeof why) != (ssize_t)sizeof why)
		_exit(126);
	_exit(127);
}

static bool keeps(const char *const *names, const char *name)
{
	for (; *names != NULL; names++)
		if (fnmatch(*names, name, 0) == 0)
			return true;
	return false;
}

/* Without those that are not to be kept. */
static void forget_variables(const char *const *names)
{
	for (char **at = environ; at != NULL && *at != NULL;) {
		char *name = xasprintf("%.*s", (int)strcspn(*at, "="), *at);

		if (keeps(names, name) || unsetenv(name) != 0)
			at++; /* else the next one is here now */
		free(name);
	}
}

static void surround(const struct spawn *how)
{
	if (how->keeps != NULL)
		forget_variables(how->keeps);
	unsetenv("GATEPOST_SETTINGS"); /* its rows are ours: a child would refuse them */
	if (!how->knows_redis)
		unsetenv("GATEPOST_REDIS");
	if (how->notify != NULL)
		setenv("NOTIFY_SOCKET", how->notify, 1);
	else
		unsetenv("NOTIFY_SOCKET");
	for (char *const *one = how->env; one != NULL && *one != NULL; one++)
		putenv(*one); /* until exec it is ours */
}

/* 0 once exec has closed the pipe. */
static int exec_errno(int failure)
{
	int why = 0;
	ssize_t n;

	do
		n = read(failure, &why, sizeof why);
	while (n == -1 && errno == EINTR);
	return n == (ssize_t)sizeof why ? why : 0;
}

pid_t spawn_fork(void)
{
	sigset_t all, before;
	pid_t parent = getpid();

	/* A signal handler must not run in the child: it would write into the pipe by
	 * through which libevent reports signals to the parent's loop. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid_t pid = fork();
	if (pid == 0) {
		forget_handlers();
		sigemptyset(&before);
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		if (getppid() != parent)
			_exit(1); /* it ended before the line above */
	}
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

static void forget_handlers(void)
{
	struct sigaction usual = {.sa_handler = SIG_DFL};

	for (int i = 1; i < NSIG; i++)
		sigaction(i, &usual,
			  NULL); /* fails for SIGKILL and SIGSTOP, as it should */
}
