#include "broker/event_parts.h"

#include "broker/base64.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "proto/batch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <xxhash.h>
