#include "edge/channels/filter.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 32 };

/* In place of the broker's reader: "and 2 eq kind a not 1 gt size 5", words with spaces. Values of in and nin: with |. */
static size_t nodes_of(const char *text, Gatepost__FilterNode **list)
{
	static Gatepost__FilterNode nodes[MOST];
	static ProtobufCBinaryData values[MOST][8];
	static char copy[512];
	static const char *const names[] = {
		"",       "and",    "or",   "not",      "eq", "ne",  "in", "nin",
		"exists", "starts", "ends", "contains", "gt", "gte", "lt", "lte"};
	char *save, *word;
	size_t n = 0;

	snprintf(copy, sizeof copy, "%s", text);
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		Gatepost__FilterNode *node = &nodes[n];

		gatepost__filter_node__init(node);
		list[n] = node;
		for (int i = 1; i < 16; i++)
			if (strcmp(word, names[i]) == 0)
				node->op = (Gatepost__FilterNode__Op)i;
		cr_assert(ne(int, node->op, 0), "no operator: %s", word);
		word = strtok_r(NULL, " ", &save);
		if (node->op <= GATEPOST__FILTER_NODE__OP__NOT) {
			node->operands = (uint32_t)atoi(word);
		} else {
			char *end, *value;

			node->tag = (ProtobufCBinaryData){strlen(word), (uint8_t *)word};
			node->values = values[n];
			word = strtok_r(NULL, " ", &save);
			for (value = strtok_r(word, "|", &end); value;
			     value = strtok_r(NULL, "|", &end))
				values[n][node->n_values++] = (ProtobufCBinaryData){
					strlen(value), (uint8_t *)value};
		}
		n++;
	}
	return n;
}

/* tags: "kind=a size=7" */
static struct publication *tagged(const char *tags)
{
	static char copy[256];
	Gatepost__Tag all[16], *list[16];
	Gatepost__Publication m = GATEPOST__PUBLICATION__INIT;
	char *save, *word;

	snprintf(copy, sizeof copy, "%s", tags);
	m.tags = list;
	for (word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		Gatepost__Tag *tag = list[m.n_tags] = &all[m.n_tags];
		char *eq = strchr(word, '=');

		m.n_tags++;
		gatepost__tag__init(tag);
		tag->key = (ProtobufCBinaryData){(size_t)(eq - word), (uint8_t *)word};
		tag->value = (ProtobufCBinaryData){strlen(eq + 1), (uint8_t *)eq + 1};
	}
	return publication_new(&m);
}

static const struct {
	const char *filter, *tags;
	bool wants;
} cases[] = {
	{"eq kind a", "kind=a", true},
	{"eq kind a", "kind=b", false},
	{"eq kind a", "other=a", false},
	{"ne kind a", "kind=b", true},
	{"ne kind a", "kind=a", false},
	{"ne kind a", "", true},
	{"in kind a|b", "kind=b", true},
	{"in kind a|b", "kind=c", false},
	{"in kind a|b", "", false},
	{"nin kind a|b", "kind=c", true},
	{"nin kind a|b", "kind=a", false},
	{"nin kind a|b", "", true},
	{"exists kind true", "kind=", true},
	{"exists kind true", "", false},
	{"exists kind false", "kind=a", false},
	{"exists kind false", "", true},
	{"starts kind ab", "kind=abc", true},
	{"starts kind ab", "kind=a", false},
	{"ends kind bc", "kind=abc", true},
	{"ends kind bc", "kind=c", false},
	{"contains kind b", "kind=abc", true},
	{"contains kind x", "kind=abc", false},
	{"gt size 9", "size=10", true}, /* as numbers, not as text */
	{"gt size 10", "size=10", false},
	{"gte size 10", "size=10.0", true},
	{"lt size 1e3", "size=999", true},
	{"lt size -1", "size=0", false},
	{"lte size 2", "size=2", true},
	{"gt size 1", "size=x", false},
	{"lt size 1", "size=x", false},
	{"lt size x", "size=1", false},
	{"lt size 1", "size=", false},
	{"lt size 1", "", false},
	{"gt size 1", "size=0x10", false},
	{"gt size 1", "size=inf", false},
	{"gt size 1", "size=nan", false},
	{"gt size 1", "size=1e999", false},
	{"and 2 eq a 1 eq b 2", "a=1 b=2", true},
	{"and 2 eq a 1 eq b 2", "a=1 b=3", false},
	{"or 2 eq a 1 eq b 2", "a=0 b=2", true},
	{"or 2 eq a 1 eq b 2", "a=0 b=0", false},
	{"not 1 eq a 1", "a=2", true},
	{"not 1 eq a 1", "a=1", false},
	/* operands that decide nothing are passed as a whole */
	{"and 3 or 2 eq a 1 eq a 2 not 1 and 2 eq b 1 eq b 2 eq c 3", "a=1 b=1 c=3",
	 true},
	{"or 2 and 2 eq a 9 or 2 eq a 1 eq a 2 eq z 1", "a=1", false},
	{"or 2 and 2 eq a 9 or 2 eq a 1 eq a 2 eq z 1", "a=1 z=1", true},
};

Test(filter, wants_what_its_nodes_say_of_the_tags)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		Gatepost__FilterNode *nodes[MOST];
		struct filter *f = filter_new(nodes, nodes_of(cases[i].filter, nodes));
		struct publication *p = tagged(cases[i].tags);

		cr_assert(eq(int, filter_wants(f, p), cases[i].wants), "%s: %s",
			  cases[i].filter, cases[i].tags);
		publication_unref(p);
		filter_free(f);
	}
}

Test(filter, without_nodes_wants_everything)
{
	struct publication *p = tagged("");

	cr_assert(filter_new(NULL, 0) == NULL);
	cr_assert(filter_wants(NULL, p));
	publication_unref(p);
}
