#ifndef CLI_UP_PEER_H
#define CLI_UP_PEER_H

/* Which of our processes has a TCP connection, known by its ports on this machine. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The socket of the connection from local to remote.
 *
 * returns  its inode; 0 when there is none
 * source   proc_pid_net(5): /proc/net/tcp
 */
uint64_t peer_socket(uint16_t local, uint16_t remote);

/* Does the process have it open? */
bool peer_has(pid_t pid, uint64_t socket);

#endif
