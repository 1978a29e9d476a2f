#ifndef STORE_SCRIPTS_H
#define STORE_SCRIPTS_H

/* The Lua files of this module, put into a C file by the build (cmake/embed.cmake). */

#include "redis/redis.h"

extern const struct redis_script script_lease_take;
extern const struct redis_script script_lease_renew;
extern const struct redis_script script_edge_look;
extern const struct redis_script script_edge_fence;
extern const struct redis_script script_edge_reap;
extern const struct redis_script script_edge_forget;
extern const struct redis_script script_connections_put;
extern const struct redis_script script_connection_remove;
extern const struct redis_script script_disconnect_begin;
extern const struct redis_script script_disconnects_claim;
extern const struct redis_script script_disconnects_hold;
extern const struct redis_script script_disconnect_end;
extern const struct redis_script script_disconnect_later;
extern const struct redis_script script_disconnect_park;
extern const struct redis_script script_disconnect_again;
extern const struct redis_script script_members_beat;
extern const struct redis_script script_channel_append;
extern const struct redis_script script_channel_read;
extern const struct redis_script script_user_rate;
extern const struct redis_script script_presence_join;
extern const struct redis_script script_presence_leave;
extern const struct redis_script script_presence_expire;
extern const struct redis_script script_presence_reap;
extern const struct redis_script script_presence_read;
extern const struct redis_script script_presence_ids;
extern const struct redis_script script_presence_note;
extern const struct redis_script script_presence_unnote;
extern const struct redis_script script_presence_due;
extern const struct redis_script script_presence_due_claim;
extern const struct redis_script script_presence_due_done;
extern const struct redis_script script_occupancy_hold;
extern const struct redis_script script_occupancy_release;
extern const struct redis_script script_occupancy_write;

#endif
