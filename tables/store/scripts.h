#ifndef TABLES_SCRIPTS_H
#define TABLES_SCRIPTS_H

/* The Lua files of this module, put into a C file by the build (cmake/embed.cmake). */

#include "redis/redis.h"

extern const struct redis_script script_item_put;
extern const struct redis_script script_item_delete;
extern const struct redis_script script_item_lock;
extern const struct redis_script script_items_write;
extern const struct redis_script script_items_read;
extern const struct redis_script script_range_read;
extern const struct redis_script script_table_create;
extern const struct redis_script script_table_change;
extern const struct redis_script script_table_mark;
extern const struct redis_script script_table_size;
extern const struct redis_script script_dropped_claim;
extern const struct redis_script script_keeper_hold;

#endif
