#ifndef CONFIG_BUILTIN_CHANNELS_H
#define CONFIG_BUILTIN_CHANNELS_H

/*
 * builtin:channels handles clients' actions on channels. The route names the action:
 * subscribe, unsubscribe, publish, history, presence, ping; on $default the message's own route key does.
 */

#include "config/reading.h"

/* Report each use of it that would not work. The functions of the configuration are defined. */
void builtin_channels_check(struct reading *r);

#endif
