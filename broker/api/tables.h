#ifndef BROKER_API_TABLES_H
#define BROKER_API_TABLES_H

/*
 * DynamoDB's JSON protocol in HTTP: POST / with X-Amz-Target: DynamoDB_20120810.PutItem. Every error of a
 * client has status 400, and its exception is in the body.
 */

#include "http/server.h"
#include "tables/tables.h"

enum { TABLES_BODY = 16 * 1024 * 1024 };

struct tables_api;

/* t is borrowed. */
struct tables_api *tables_api_new(struct tables *t);

/* What waits for an answer gets none any more. NULL is fine. */
void tables_api_free(struct tables_api *api);

/* Is it a request for tables: its path is "/", or "/functions/NAME"? */
bool tables_api_is_for(const struct http_request *q);

/*
 * The function that the path names, for callers whose key is none of ours; empty: none. It is no proof:
 * for where there is no authentication.
 */
struct span tables_api_function(const struct http_request *q);

/* Who may do what; caller is copied, and asked before this returns. */
void tables_api_request(struct tables_api *api, struct http_request *q,
			const struct tables_caller *caller);

/* Refuse a request for tables, in the form that the clients of tables read. type: "AccessDeniedException" */
void tables_api_refuse(struct tables_api *api, struct http_request *q, const char *type,
		       const char *message);

#endif
