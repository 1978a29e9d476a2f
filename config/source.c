#include "config/source.h"

#include "config/dotenv.h"
#include "config/text_file.h"
#include "config/yaml.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static enum found find_self(const struct walk *w, const struct source *s,
			    const struct node **out);
static enum found find_env(const struct walk *w, const struct source *s,
			   const struct node **out);
static enum found find_opt(const struct walk *w, const struct source *s,
			   const struct node **out);
static enum found find_sls(const struct walk *w, const struct source *s,
			   const struct node **out);
static enum found find_param(const struct walk *w, const struct source *s,
			     const struct node **out);
static enum found find_file(const struct walk *w, const struct source *s,
			    const struct node **out);
static enum found find_bool(const struct walk *w, const struct source *s,
			    const struct node **out);

static const struct {
	const char *name;
	enum found (*find)(const struct walk *w, const struct source *s,
			   const struct node **out);
} sources[] = {
	{"self", find_self},      {"env", find_env},     {"opt", find_opt},
	{"sls", find_sls},        {"param", find_param}, {"file", find_file},
	{"strToBool", find_bool},
};

static enum found missing(const struct walk *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

enum found source_find(const struct walk *w, const struct source *s,
		       const struct node **out)
{
	for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
		if (span_is(s->name, sources[i].name))
			return sources[i].find(w, s, out);
	return missing(w, "%.*s cannot be asked here", SPAN_ARG(s->name));
}

static enum found missing(const struct walk *w, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(w->why, VARIABLE_WHY, fmt, args);
	va_end(args);
	return MISSING;
}

static enum found found_text(const struct walk *w, const char *text,
			     const struct node **out)
{
	*out = tree_add_text(w->r->tree, w->node->at, xstrdup(text), false);
	return FOUND;
}

/* ---- self: */

/* The node of a part of an address; NULL when there is none. */
static const struct node *child(const struct node *node, const char *part)
{
	char *end;
	unsigned long i;

	if (node->kind != NODE_LIST)
		return node_get(node, part);
	i = strtoul(part, &end, 10);
	return *part && !*end && i < node->n ? node->items[i] : NULL;
}

/* Down from node, step by step; what is on the way may be a variable itself. */
static enum found find_address(const struct walk *w, const struct node *node,
			       const char *address, const struct node **out)
{
	char *rest = xstrdup(address), *next = rest, *part;
	enum found f = variable_walk(w, node, &node);

	while (f == FOUND && *address && (part = strsep(&next, ".")) != NULL) {
		const struct node *below = child(node, part);

		f = below ? variable_walk(w, below, &node)
			  : missing(w, "there is no \"%s\" (of %s)", part, address);
	}
	free(rest);
	*out = node;
	return f;
}

/* The defaults of Serverless. */
static const char *known_default(const struct reading *r, const char *address)
{
	if (strcmp(address, "provider.stage") == 0)
		return r->stage ? r->stage : "dev";
	return strcmp(address, "provider.region") == 0 ? CONFIG_REGION : NULL;
}

static enum found find_self(const struct walk *w, const struct source *s,
			    const struct node **out)
{
	enum found f = find_address(w, w->r->root, s->address, out);
	const char *text = known_default(w->r, s->address);

	return f == MISSING && text ? found_text(w, text, out) : f;
}

/* ---- env:, opt:, sls:, param: */

static enum found find_env(const struct walk *w, const struct source *s,
			   const struct node **out)
{
	const char *value = getenv(s->address);

	if (value == NULL)
		value = dotenv_find(w->r->dotenv, s->address);
	if (value == NULL)
		return missing(w, "%s is not in the environment", s->address);
	return found_text(w, value, out);
}

static enum found find_opt(const struct walk *w, const struct source *s,
			   const struct node **out)
{
	const struct config_options *o = w->r->options;

	if (strcmp(s->address, "stage") == 0 && o->stage)
		return found_text(w, o->stage, out);
	for (size_t i = 0; i < o->n_opt; i++)
		if (strcmp(o->opt[i].name, s->address) == 0)
			return found_text(w, o->opt[i].value, out);
	return missing(w, "the option %s was not given", s->address);
}

static const char *stage_of(const struct reading *r)
{
	if (r->stage)
		return r->stage;
	return r->options->stage ? r->options->stage : "dev";
}

static const char *instance_of(struct reading *r)
{
	unsigned long long random = 0;

	if (r->instance == NULL) {
		while (getrandom(&random, sizeof random, 0) != sizeof random)
			;
		r->instance = xasprintf("%016llx", random);
	}
	return r->instance;
}

static enum found find_sls(const struct walk *w, const struct source *s,
			   const struct node **out)
{
	if (strcmp(s->address, "stage") == 0)
		return found_text(w, stage_of(w->r), out);
	if (strcmp(s->address, "instanceId") == 0)
		return found_text(w, instance_of(w->r), out);
	return missing(w, "there is no sls:%s, only sls:stage and sls:instanceId",
		       s->address);
}

static enum found find_param(const struct walk *w, const struct source *s,
			     const struct node **out)
{
	char *of_stage = xasprintf("params.%s.%s", stage_of(w->r), s->address);
	char *of_all = xasprintf("params.default.%s", s->address);
	enum found f = find_address(w, w->r->root, of_stage, out);

	if (f == MISSING)
		f = find_address(w, w->r->root, of_all, out);
	if (f == MISSING)
		missing(w, "the parameter %s is not in params", s->address);
	free(of_stage);
	free(of_all);
	return f;
}

/* ---- file(): */

static bool ends(const char *text, const char *with)
{
	size_t n = strlen(text), m = strlen(with);

	return n >= m && strcmp(text + n - m, with) == 0;
}

static enum found read_text(const struct walk *w, const char *path,
			    const struct node **out)
{
	const char *why;
	char *text;
	size_t n;
	int line;
	enum err e = text_file_read(path, &text, &n, &why, &line);
	struct place at = {tree_keep(w->r->tree, xstrdup(path)), line, 1};

	if (e == ERR_NOTFOUND)
		return missing(w, "there is no file %s", path);
	if (e != OK) {
		reading_error(w->r, line ? at : w->node->at, w->key, "%s %s", path, why);
		return FAILED;
	}
	while (n && strchr(" \t\r\n", text[n - 1]))
		text[--n] = '\0';
	*out = tree_add_text(w->r->tree, (struct place){at.file, 1, 1}, text, false);
	return FOUND;
}

/* The root of a YAML or JSON file. */
static enum found read_tree(const struct walk *w, const char *path,
			    const struct node **out)
{
	if (access(path, F_OK) != 0)
		return missing(w, "there is no file %s", path);
	*out = yaml_read(w->r, path);
	return *out ? FOUND : FAILED;
}

static bool is_code(const char *path)
{
	static const char *const code[] = {".js", ".cjs", ".mjs", ".ts", ".py", ".toml"};

	for (size_t i = 0; i < sizeof code / sizeof *code; i++)
		if (ends(path, code[i]))
			return true;
	return false;
}

/* Each file is read once, so that its nodes are the same for every reference. */
static enum found read_file(const struct walk *w, const char *path,
			    const struct node **out)
{
	struct reading *r = w->r;
	enum found f;

	for (size_t i = 0; i < r->n_opened; i++)
		if (strcmp(r->opened[i].path, path) == 0) {
			*out = r->opened[i].root;
			return FOUND;
		}
	if (is_code(path))
		return missing(w, "%s: only YAML, JSON and text files are read", path);
	if (r->n_opened == READING_FILES) {
		reading_error(r, w->node->at, w->key, "more than 64 files are read");
		return FAILED;
	}
	if (ends(path, ".yml") || ends(path, ".yaml") || ends(path, ".json"))
		f = read_tree(w, path, out);
	else
		f = read_text(w, path, out);
	if (f == FOUND)
		r->opened[r->n_opened++] = (struct opened){
			.path = tree_keep(r->tree, xstrdup(path)),
			.root = *out,
		};
	return f;
}

static enum found find_file(const struct walk *w, const struct source *s,
			    const struct node **out)
{
	char *path = reading_file(w->r, s->parameter ? s->parameter : "");
	enum found f = read_file(w, path, out);

	if (f == FOUND)
		f = find_address(w, *out, s->address, out);
	free(path);
	return f;
}

/* ---- strToBool() */

static enum found find_bool(const struct walk *w, const struct source *s,
			    const struct node **out)
{
	const char *text = s->parameter ? s->parameter : "";
	bool yes = strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0;
	bool no = strcasecmp(text, "false") == 0 || strcmp(text, "0") == 0;

	if (!yes && !no) {
		reading_error(w->r, w->node->at, w->key,
			      "strToBool(%s): allowed: true, false, 1, 0", text);
		return FAILED;
	}
	*out = tree_add_text(w->r->tree, w->node->at, xstrdup(yes ? "true" : "false"),
			     true);
	return FOUND;
}
