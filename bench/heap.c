/*
 * What malloc has given out and not got back, of a process that knows nothing of this: to be
 * preloaded. RSS is no measure of a leak of a few bytes, since what is freed stays with the process,
 * more or less of it from one round to the next; this is one.
 *
 * GATEPOST_HEAP_FOLDER  where each process writes a file of its PID: the bytes in use, at each
 *                       SIGURG, a signal that a process ignores which does not ask for it
 *
 * source  mallinfo(3); LD_PRELOAD in ld.so(8)
 */
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Whole or not at all. */
static void tell(const char *folder)
{
	char path[256], whole[300];

	snprintf(path, sizeof path, "%s/%d", folder, (int)getpid());
	snprintf(whole, sizeof whole, "%s.new", path);

	FILE *f = fopen(whole, "we");
	if (f == NULL)
		return; /* who waits for it says so */
	struct mallinfo2 m = mallinfo2();
	fprintf(f, "%zu\n", m.uordblks + m.hblkhd);
	fclose(f);
	rename(whole, path);
}

static void *wait_and_tell(void *folder)
{
	sigset_t asked;
	int which;

	sigemptyset(&asked);
	sigaddset(&asked, SIGURG);
	while (sigwait(&asked, &which) == 0)
		tell(folder);
	return NULL;
}

/* A thread of its own, since a handler may interrupt malloc. All signals but one stay with the program's. */
__attribute__((constructor)) static void begin(void)
{
	char *folder = getenv("GATEPOST_HEAP_FOLDER");
	sigset_t all, before;
	pthread_t thread;

	if (folder == NULL)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_create(&thread, NULL, wait_and_tell, folder);
	sigaddset(&before, SIGURG);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}
