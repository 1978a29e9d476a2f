#ifndef STORE_SCRIPTS_H
#define STORE_SCRIPTS_H

/* The Lua files of this room, put into a C file by the build (store/embed.cmake). */

#include "store/redis.h"

extern const struct redis_script script_lease_take;
extern const struct redis_script script_lease_renew;
extern const struct redis_script script_lease_drop;
extern const struct redis_script script_edge_forget;
extern const struct redis_script script_members_beat;

#endif
