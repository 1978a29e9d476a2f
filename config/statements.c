#include "config/statements.h"

#include "config/intrinsic.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_STATEMENTS = 1000, MOST_PATTERNS = 1000, MOST_DEPTH = 4 };

struct statements {
	struct config_statement *list;
	size_t n;
};

static void read_list(struct reading *r, const struct value *v, struct statements *out,
		      unsigned depth);
static void read_one(struct reading *r, const struct value *v, struct statements *out);
static void read_managed(struct reading *r, const struct value *role,
			 struct statements *out);
static void take_copy(const struct config_statement *list, size_t n,
		      struct statements *out);

void statements_read_provider(struct reading *r, const struct value *provider)
{
	struct statements all = {0};
	struct value iam, role, v;

	if (value_try(r, provider, "iamRoleStatements", &v))
		read_list(r, &v, &all, 0);
	if (value_try(r, provider, "iamManagedPolicies", &v))
		read_managed(r, &v, &all);
	if (value_try(r, provider, "iam", &iam) && iam.node->kind == NODE_MAP &&
	    value_try(r, &iam, "role", &role) && role.node->kind == NODE_MAP) {
		if (value_try(r, &role, "statements", &v))
			read_list(r, &v, &all, 0);
		if (value_try(r, &role, "managedPolicies", &v))
			read_managed(r, &v, &all);
	}
	r->statements = all.list;
	r->n_statements = all.n;
	r->config->has_statements = all.n > 0;
}

void statements_read_function(struct reading *r, const struct value *function,
			      struct config_function *out)
{
	struct statements all = {0};
	struct value v;
	bool inherits = true;

	if (value_try(r, function, "iamRoleStatements", &v)) {
		inherits = false;
		read_list(r, &v, &all, 0);
		if (value_try(r, function, "iamRoleStatementsInherit", &v))
			inherits = v.node->kind == NODE_TEXT &&
				   strcmp(v.node->text, "true") == 0;
	}
	if (all.n > 0)
		r->config->has_statements = true;
	if (inherits)
		take_copy(r->statements, r->n_statements, &all);
	out->statements = all.list;
	out->n_statements = all.n;
}

/* ---- lists */

static void add(struct statements *out, struct config_statement s)
{
	out->list = xrealloc(out->list, (out->n + 1) * sizeof *out->list);
	out->list[out->n++] = s;
}

/* One of ${file()} may be a list itself. */
static void read_list(struct reading *r, const struct value *v, struct statements *out,
		      unsigned depth)
{
	struct value one;

	if (v->node->kind == NODE_MAP && !value_intrinsic(v))
		read_one(r, v, out);
	if (v->node->kind != NODE_LIST || depth > MOST_DEPTH)
		return;
	for (size_t i = 0; i < value_count(v) && out->n < MOST_STATEMENTS; i++)
		if (value_try_at(r, v, i, &one))
			read_list(r, &one, out, depth + 1);
}

static bool read_pattern(struct reading *r, const struct value *v, char ***list,
			 size_t *n)
{
	const char *text = intrinsic_arn(r, v);

	if (text == NULL || *n == MOST_PATTERNS)
		return false;
	*list = xrealloc(*list, (*n + 1) * sizeof **list);
	(*list)[(*n)++] = xstrdup(text);
	return true;
}

/* One text, or a list of them. False: some cannot be resolved. */
static bool read_patterns(struct reading *r, const struct value *v, char ***list,
			  size_t *n)
{
	struct value one;
	bool all = true;

	if (v->node->kind != NODE_LIST || value_intrinsic(v))
		return read_pattern(r, v, list, n);
	for (size_t i = 0; i < value_count(v); i++)
		if (!value_try_at(r, v, i, &one) || !read_pattern(r, &one, list, n))
			all = false;
	return all;
}

/* ---- a statement */

static void close_statement(struct config_statement *s)
{
	for (size_t i = 0; i < s->n_actions; i++)
		free(s->actions[i]);
	for (size_t i = 0; i < s->n_resources; i++)
		free(s->resources[i]);
	free(s->actions);
	free(s->resources);
}

static bool concerns_tables(const struct config_statement *s)
{
	for (size_t i = 0; i < s->n_actions; i++)
		if (policy_is_ours(s->actions[i]))
			return true;
	return s->but_actions;
}

static void read_actions(struct reading *r, const struct value *v,
			 struct config_statement *out)
{
	struct value actions;

	out->but_actions = node_get(v->node, "NotAction") != NULL;
	if (value_try(r, v, out->but_actions ? "NotAction" : "Action", &actions))
		read_patterns(r, &actions, &out->actions, &out->n_actions);
}

/* It becomes all resources when it denies, since it must not permit more than on AWS. */
static void cover_all(struct config_statement *s)
{
	s->but_resources = false;
	s->resources =
		xrealloc(s->resources, (s->n_resources + 1) * sizeof *s->resources);
	s->resources[s->n_resources++] = xstrdup("*");
}

static void read_resources(struct reading *r, const struct value *v,
			   struct config_statement *out)
{
	struct value resources;

	out->but_resources = node_get(v->node, "NotResource") != NULL;
	if (!value_try(r, v, out->but_resources ? "NotResource" : "Resource",
		       &resources) ||
	    read_patterns(r, &resources, &out->resources, &out->n_resources))
		return;
	reading_info(r, resources.node->at, &resources.key,
		     "some of it is for CloudFormation, which is not asked here: %s",
		     out->denies ? "all is denied" : "that part allows nothing");
	if (out->denies)
		cover_all(out);
	else if (out->but_resources) /* all but what is not known: nothing */
		out->but_resources = false;
}

static void read_one(struct reading *r, const struct value *v, struct statements *out)
{
	struct config_statement s = {0};
	struct value effect;

	if (!value_try(r, v, "Effect", &effect) || effect.node->kind != NODE_TEXT)
		return;
	s.denies = strcmp(effect.node->text, "Deny") == 0;
	read_actions(r, v, &s);
	if (!concerns_tables(&s)) {
		close_statement(&s);
		return;
	}
	read_resources(r, v, &s);
	if (node_get(v->node, "Condition") && s.denies)
		reading_info(r, v->node->at, &v->key,
			     "its Condition is not evaluated: it denies always");
	else if (node_get(v->node, "Condition")) {
		reading_info(r, v->node->at, &v->key,
			     "its Condition is not evaluated: it allows nothing");
		close_statement(&s);
		s = (struct config_statement){0}; /* it counts as one about tables */
	}
	add(out, s);
}

/* ---- AWS's own policies */

static char **one_text(const char *text)
{
	char **list = xcalloc(1, sizeof *list);

	list[0] = xstrdup(text);
	return list;
}

static void allow(struct statements *out, const char *action)
{
	add(out, (struct config_statement){
			 .actions = one_text(action),
			 .n_actions = 1,
			 .resources = one_text("*"),
			 .n_resources = 1,
		 });
}

static void read_managed_one(const char *arn, struct statements *out)
{
	static const char *const reads[] = {
		"dynamodb:BatchGetItem", "dynamodb:Describe*", "dynamodb:List*",
		"dynamodb:GetItem",      "dynamodb:Query",     "dynamodb:Scan",
	};
	const char *slash = strrchr(arn, '/'), *name = slash ? slash + 1 : arn;

	if (strncmp(name, "AmazonDynamoDBFullAccess", 24) == 0 ||
	    strcmp(name, "AdministratorAccess") == 0 ||
	    strcmp(name, "PowerUserAccess") == 0)
		allow(out, "dynamodb:*");
	for (size_t i = 0; i < sizeof reads / sizeof *reads; i++)
		if (strcmp(name, "AmazonDynamoDBReadOnlyAccess") == 0)
			allow(out, reads[i]);
}

static void read_managed(struct reading *r, const struct value *v, struct statements *out)
{
	struct value one;

	if (v->node->kind != NODE_LIST || value_intrinsic(v))
		return;
	for (size_t i = 0; i < value_count(v); i++) {
		const char *arn =
			value_try_at(r, v, i, &one) ? intrinsic_arn(r, &one) : NULL;
		if (arn)
			read_managed_one(arn, out);
	}
}

/* ---- copies */

static char **copy_texts(char *const *list, size_t n)
{
	char **copy = xcalloc(n + 1, sizeof *copy);

	for (size_t i = 0; i < n; i++)
		copy[i] = xstrdup(list[i]);
	return copy;
}

static void take_copy(const struct config_statement *list, size_t n,
		      struct statements *out)
{
	for (size_t i = 0; i < n; i++) {
		struct config_statement s = list[i];

		s.actions = copy_texts(s.actions, s.n_actions);
		s.resources = copy_texts(s.resources, s.n_resources);
		add(out, s);
	}
}

void statements_free(struct config_statement *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close_statement(&list[i]);
	free(list);
}
