#include "config/intrinsic.h"

#include "config/resources.h"
#include "config/variable.h"

#include "base/mem.h"
#include "base/span.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DEPTH = 16, MOST_FUNCTIONS = 10000, MOST_TEXT = 64 * 1024, NAME_ROOM = 256 };

/* Where it stands, and how deep it is in others. */
struct asking {
	struct reading *r;
	const struct key *key;
	unsigned depth;
	const struct node *names; /* the second part of a Fn::Sub; NULL: none */
};

static const char *text_of(const struct asking *a, const struct node *node);
static const char *apply(const struct asking *a, const char *function,
			 const struct node *argument);
static const char *ref(const struct asking *a, const char *name);
static const char *get_attribute(const struct asking *a, const char *id,
				 const char *attribute);
static const char *substitute(const struct asking *a, const char *text, bool is_sub);

const char *intrinsic_text(struct reading *r, const struct value *v)
{
	return text_of(&(struct asking){.r = r, .key = &v->key}, v->node);
}

const char *intrinsic_arn(struct reading *r, const struct value *v)
{
	struct asking a = {.r = r, .key = &v->key};
	const char *text = text_of(&a, v->node);

	return text ? substitute(&a, text, false) : NULL;
}

static const char *keep(const struct asking *a, char *text)
{
	return tree_keep(a->r->tree, text);
}

/* What is below a resolved node may have variables itself. NULL after an info line. */
static const struct node *resolve(const struct asking *a, const struct node *node)
{
	const struct node *out;

	a->r->lenient++;
	out = variable_resolve(a->r, a->key, node);
	a->r->lenient--;
	return out;
}

/* "Fn::Sub" of "!Sub"; NULL: it is no such function. */
static const char *function_of(const struct node *node, char room[NAME_ROOM])
{
	const char *name = value_intrinsic(&(struct value){.node = node});

	if (name == NULL || name[0] != '!')
		return name;
	if (strcmp(name, "!Ref") == 0)
		return "Ref";
	snprintf(room, NAME_ROOM, "Fn::%s", name + 1);
	return room;
}

/* The node without its tag, its variables resolved. */
static const struct node *untag(const struct asking *a, const struct node *node)
{
	if (node->kind != NODE_TEXT)
		return node;
	return resolve(
		a, tree_add_text(a->r->tree, node->at, xstrdup(node->text), node->plain));
}

static const char *text_of(const struct asking *above, const struct node *node)
{
	struct asking a = *above;
	char room[NAME_ROOM];
	const char *function;

	if (node == NULL || a.depth++ > MOST_DEPTH)
		return NULL;
	function = function_of(node, room);
	if (function && a.r->functions++ > MOST_FUNCTIONS)
		return NULL;
	if (function)
		return apply(&a, function,
			     node->tag ? untag(&a, node) : resolve(&a, node->items[1]));
	return node->kind == NODE_TEXT ? node->text : NULL;
}

/* The i-th item of a list as text. */
static const char *item(const struct asking *a, const struct node *list, size_t i)
{
	if (list->kind != NODE_LIST || i >= list->n)
		return NULL;
	return text_of(a, resolve(a, list->items[i]));
}

/* "Table.Arn", or [Table, Arn] */
static const char *apply_get(const struct asking *a, const struct node *argument)
{
	const char *dot, *id, *attribute;

	if (argument->kind == NODE_LIST) {
		id = item(a, argument, 0);
		attribute = item(a, argument, 1);
		return id && attribute ? get_attribute(a, id, attribute) : NULL;
	}
	dot = argument->kind == NODE_TEXT ? strchr(argument->text, '.') : NULL;
	if (dot == NULL)
		return NULL;
	id = keep(a, span_dup(span_of(argument->text, (size_t)(dot - argument->text))));
	return get_attribute(a, id, dot + 1);
}

/* [delimiter, [text, …]] */
static const char *apply_join(const struct asking *a, const struct node *argument)
{
	const char *delimiter = item(a, argument, 0), *part;
	const struct node *parts;
	char *joined;

	if (delimiter == NULL || argument->n != 2)
		return NULL;
	parts = resolve(a, argument->items[1]);
	if (parts == NULL || parts->kind != NODE_LIST || parts->tag)
		return NULL;
	joined = xstrdup("");
	for (size_t i = 0; i < parts->n; i++) {
		char *longer;

		part = item(a, parts, i);
		if (part == NULL || strlen(joined) + strlen(part) > MOST_TEXT) {
			free(joined);
			return NULL;
		}
		longer = xasprintf("%s%s%s", joined, i ? delimiter : "", part);
		free(joined);
		joined = longer;
	}
	return keep(a, joined);
}

/* text, or [text, {name: value}] */
static const char *apply_sub(const struct asking *above, const struct node *argument)
{
	struct asking a = *above;
	const char *text;

	a.names = NULL;
	if (argument->kind == NODE_TEXT)
		return substitute(&a, argument->text, true);
	text = item(&a, argument, 0);
	if (text == NULL || argument->n != 2)
		return NULL;
	a.names = resolve(&a, argument->items[1]);
	return a.names ? substitute(&a, text, true) : NULL;
}

static const char *apply(const struct asking *a, const char *function,
			 const struct node *argument)
{
	if (argument == NULL)
		return NULL;
	if (strcmp(function, "Ref") == 0)
		return argument->kind == NODE_TEXT ? ref(a, argument->text) : NULL;
	if (strcmp(function, "Fn::GetAtt") == 0)
		return apply_get(a, argument);
	if (strcmp(function, "Fn::Sub") == 0)
		return apply_sub(a, argument);
	return strcmp(function, "Fn::Join") == 0 ? apply_join(a, argument) : NULL;
}

/* ---- what is known */

static const char *account_of(const struct reading *r)
{
	return r->options->account ? r->options->account : CONFIG_ACCOUNT;
}

/* AWS::Region and its like; NULL: another name. */
static const char *pseudo(const struct asking *a, const char *name)
{
	const struct config *c = a->r->config;

	if (strncmp(name, "AWS::", 5) != 0)
		return NULL;
	name += 5;
	if (strcmp(name, "Region") == 0)
		return c->region;
	if (strcmp(name, "AccountId") == 0)
		return account_of(a->r);
	if (strcmp(name, "Partition") == 0)
		return "aws";
	if (strcmp(name, "URLSuffix") == 0)
		return "amazonaws.com";
	if (strcmp(name, "StackName") == 0)
		return keep(a, xasprintf("%s-%s", c->service, c->stage));
	return NULL;
}

static const char *ref(const struct asking *a, const char *name)
{
	struct resource *table = resources_find(a->r, name);
	const char *known = pseudo(a, name);

	if (known)
		return known;
	return table ? resource_name(a->r, table) : resources_parameter(a->r, name);
}

static const char *get_attribute(const struct asking *a, const char *id,
				 const char *attribute)
{
	struct resource *table = resources_find(a->r, id);
	const char *name;

	if (table == NULL || strcmp(attribute, "Arn") != 0)
		return NULL;
	name = resource_name(a->r, table);
	if (name == NULL)
		return NULL;
	return keep(a, xasprintf("arn:aws:dynamodb:%s:%s:table/%s", a->r->config->region,
				 account_of(a->r), name));
}

/* ---- ${Name}, ${Table.Arn}, ${AWS::Region}; ${!Name} is ${Name} */

static const char *value_of(const struct asking *a, struct span inner)
{
	char *name = span_dup(span_trim(inner)), *dot = strchr(name, '.');
	const struct node *own = a->names ? node_get(a->names, name) : NULL;
	const char *text;

	if (own) {
		text = text_of(a, resolve(a, own));
	} else if (dot) {
		*dot = '\0';
		text = get_attribute(a, name, dot + 1);
	} else {
		text = ref(a, name);
	}
	free(name);
	return text;
}

/* Does a name in braces begin here? Without !Sub: those of AWS alone. */
static bool is_name(const char *at, bool is_sub)
{
	if (is_sub)
		return at[0] == '$' && at[1] == '{';
	return (at[0] == '$' || at[0] == '#') && strncmp(at + 1, "{AWS::", 6) == 0;
}

/* The text before the next name, or what the name stands for; NULL: it is not known. */
static const char *next_part(const struct asking *a, const char **text, bool is_sub)
{
	const char *at = *text, *end = is_name(at, is_sub) ? strchr(at, '}') : NULL;
	size_t n = 1;

	if (end == NULL) {
		while (at[n] && !is_name(at + n, is_sub))
			n++;
		*text = at + n;
		return keep(a, span_dup(span_of(at, n)));
	}
	*text = end + 1;
	if (at[2] == '!')
		return keep(a, xasprintf("${%.*s}", (int)(end - at - 3), at + 3));
	return value_of(a, span_of(at + 2, (size_t)(end - at - 2)));
}

static const char *substitute(const struct asking *a, const char *text, bool is_sub)
{
	char *out = xstrdup("");

	while (out && *text) {
		const char *part = next_part(a, &text, is_sub);
		char *longer = NULL;

		if (part && strlen(out) + strlen(part) <= MOST_TEXT)
			longer = xasprintf("%s%s", out, part);
		free(out);
		out = longer;
	}
	return out ? keep(a, out) : NULL;
}
