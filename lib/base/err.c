#include "base/err.h"

const char *err_name(enum err e)
{
	switch (e) {
	case OK: return "ok";
	case ERR_AGAIN: return "again";
	case ERR_EXIT: return "exit";
	case ERR_TIMEOUT: return "timeout";
	case ERR_RATE: return "rate";
	case ERR_CLAIMED: return "claimed";
	case ERR_UNKNOWN: return "unknown";
	case ERR_MALFORMED: return "malformed";
	case ERR_TOOBIG: return "toobig";
	case ERR_DENIED: return "denied";
	case ERR_NOTFOUND: return "notfound";
	case ERR_BUSY: return "busy";
	case ERR_DOWN: return "down";
	}
	return "?";
}
