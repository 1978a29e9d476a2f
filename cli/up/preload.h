#ifndef CLI_UP_PRELOAD_H
#define CLI_UP_PRELOAD_H

/*
 * The file that Node loads before a handler, for AWS SDK 2: share/gatepost/aws-sdk-2.js,
 * beside the folder of the program, as installed and as built.
 *
 * returns  its path, freed by the caller; NULL: it is not there
 */
char *preload_path(void);

#endif
