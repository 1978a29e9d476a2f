#ifndef BASE_SECRET_FILE_H
#define BASE_SECRET_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

/*
 * Can only its owner read a file with secrets? One of another user may be
 * readable by a group too, which is how Kubernetes gives secrets to a process.
 */
bool secret_file_is_kept(const struct stat *st);

/* The message if it is not. */
extern const char secret_file_fault[];

#endif
