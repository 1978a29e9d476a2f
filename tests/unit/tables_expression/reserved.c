#include "tables/expression/reserved.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

/* Section 6: reserved words are refused bare, in any case. */
Test(reserved, words_of_the_developer_guide)
{
	static const char *const words[] = {
		"ABORT",    "zone",  "status", "name",     "connection", "user",
		"ttl",      "data",  "type",   "value",    "Values",     "timestamp",
		"Session",  "state", "count",  "location", "region",     "language",
		"role",     "uuid",  "url",    "year",     "and",        "IN",
		"FLATTERN", "nUlL",
	};
	static const char *const free_words[] = {
		"",        "a",          "id",       "connectionId", "connection_id",
		"room",    "roomId",     "message",  "zones",        "abor",
		"expires", "email",      "pk",       "sk",           "body",
		"content", "created_at", "username", "contains",     "DETERMINISTICALLY"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		cr_expect(reserved_word(span_str(words[i])), "%s", words[i]);
	for (size_t i = 0; i < sizeof free_words / sizeof *free_words; i++)
		cr_expect(not(reserved_word(span_str(free_words[i]))), "%s",
			  free_words[i]);
}
