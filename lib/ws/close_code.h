#ifndef WS_CLOSE_CODE_H
#define WS_CLOSE_CODE_H

/* Codes of close frames (RFC 6455 7.4, and the IANA registry for 1012 to 1014). */

#include <stdbool.h>
#include <stdint.h>

enum { CLOSE_REASON_MOST = 123 }; /* bytes; a control frame carries 125, with the code */

/* May this code be in a close frame? 1000-1003, 1007-1014, 3000-4999. */
static inline bool close_code_is_allowed(uint32_t code)
{
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
	       (code >= 3000 && code <= 4999);
}

#endif
