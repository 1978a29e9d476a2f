#ifndef PROTO_ENVELOPE_INTERNAL_H
#define PROTO_ENVELOPE_INTERNAL_H

/* The checks of what is about channels (envelope_channels.c), for envelope.c. Each is whether the part is as envelope.h says. */

#include "proto/batch.h"
#include "proto/envelope.h"

bool envelope_channel_ok(ProtobufCBinaryData name);
bool envelope_position_ok_or_none(const Gatepost__Position *p);
bool envelope_subscription_ok(const Gatepost__Subscription *s);
bool envelope_activate_ok(const Gatepost__Activate *a);
bool envelope_interest_ok(const Gatepost__Interest *m);
bool envelope_deliver_ok(const Gatepost__Deliver *m);
bool envelope_gap_ok(const Gatepost__Gap *m);
bool envelope_fill_ok(const Gatepost__Fill *m);
bool envelope_presence_ok(const Gatepost__Presence *m);

#endif
