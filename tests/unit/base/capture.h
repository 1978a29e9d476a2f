#ifndef TESTS_UNIT_BASE_CAPTURE_H
#define TESTS_UNIT_BASE_CAPTURE_H

/* What the code under test writes to standard error or output, for tests that read it. */

struct capture;

/* From now on, what goes to fd goes to a file in memory. */
struct capture *capture_start(int fd);

/* Put fd back, and return all that came, zero-terminated; freed with free(3). */
char *capture_end(struct capture *c);

#endif
