#ifndef CLI_COMMANDS_TABLES_FILE_H
#define CLI_COMMANDS_TABLES_FILE_H

/*
 * Tables as files in a folder, in the forms that `aws dynamodb` reads, too:
 *
 *   NAME.table.json   aws dynamodb create-table --cli-input-json file://…
 *   NAME.ttl.json     aws dynamodb update-time-to-live --cli-input-json file://…; only with TTL
 *   NAME.jsonl        {"Item":{…}} on a line for each, as DynamoDB exports to S3 (DYNAMODB_JSON)
 */

#include "cli/client/table_api.h"

/* Write one. Files that are there are replaced. */
enum api_exit tables_file_export(const struct table_api *a, const char *folder,
				 const char *name);

/* Make the table unless it is there, and put all items. */
enum api_exit tables_file_import(const struct table_api *a, const char *folder,
				 const char *name);

#endif
