#include "config/http_event.h"

#include "base/mem.h"
#include "base/span.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_HTTP = 10000 };

/* What is read of an event; texts are owned. */
struct draft_http {
	char *method, *path;
	bool guarded;
};

static void take(struct reading *r, size_t function, const struct value *v, bool is_v2);
static void read_short(struct reading *r, const struct value *v, bool is_v2,
		       struct draft_http *d);
static void read_keys(struct reading *r, const struct value *v, bool is_v2,
		      struct draft_http *d);
static bool fix_method(struct reading *r, const struct value *v, struct draft_http *d);
static bool fix_path(struct reading *r, const struct value *v, struct draft_http *d);
static void add(struct reading *r, const struct value *v, struct config_http http);

void http_event_read(struct reading *r, size_t function, const struct value *v)
{
	take(r, function, v, false);
}

void http_event_read_v2(struct reading *r, size_t function, const struct value *v)
{
	take(r, function, v, true);
}

static void add_draft(struct reading *r, size_t function, const struct value *v,
		      bool is_v2, const char *method, const char *path)
{
	add(r, v,
	    (struct config_http){
		    .method = xstrdup(method),
		    .path = xstrdup(path),
		    .function = function,
		    .is_v2 = is_v2,
		    .line = v->node->at.line,
	    });
}

static void take(struct reading *r, size_t function, const struct value *v, bool is_v2)
{
	struct draft_http d = {0};

	if (v->node->kind == NODE_TEXT && !node_is_null(v->node))
		read_short(r, v, is_v2, &d);
	else if (value_is(r, v, NODE_MAP,
			  "METHOD path, or a mapping with path and method"))
		read_keys(r, v, is_v2, &d);
	if (d.guarded) {
		reading_info(
			r, v->node->at, &v->key,
			"left out: HTTP routes have no authorizers or API keys here, "
			"and it would be open to all");
	} else if (d.path && is_v2 && strcmp(d.path, "*") == 0) {
		add_draft(r, function, v, is_v2, "*", "/");
		add_draft(r, function, v, is_v2, "*", "/{proxy+}");
	} else if (d.method && d.path && fix_method(r, v, &d) && fix_path(r, v, &d)) {
		add_draft(r, function, v, is_v2, d.method, d.path);
	}
	free(d.method);
	free(d.path);
}

/* "GET ping", or '*' for whatever no other event takes. */
static void read_short(struct reading *r, const struct value *v, bool is_v2,
		       struct draft_http *d)
{
	const char *text = value_peek(r, v), *path;

	if (text == NULL)
		return;
	path = text + strcspn(text, " \t");
	if (is_v2 && strcmp(text, "*") == 0) {
		d->path = xstrdup("*");
	} else if (path[strspn(path, " \t")] == '\0') {
		reading_error(r, v->node->at, &v->key, "\"%s\"; allowed: METHOD path%s",
			      text, is_v2 ? " or '*'" : "");
	} else {
		d->method = span_dup(span_of(text, (size_t)(path - text)));
		d->path = xstrdup(path + strspn(path, " \t"));
	}
}

static bool is_private(struct reading *r, const struct value *v)
{
	struct value private;
	bool yes = false;

	return value_get(r, v, "private", &private) && value_bool(r, &private, &yes) &&
	       yes;
}

static void read_keys(struct reading *r, const struct value *v, bool is_v2,
		      struct draft_http *d)
{
	static const char *const names[] = {
		"path", "method", "authorizer", "private", NULL,
	};
	struct value path, method;
	const struct node *authorizer = node_get(v->node, "authorizer");

	d->guarded = (authorizer && !node_is_null(authorizer)) || is_private(r, v);
	if (value_get(r, v, "path", &path))
		value_text(r, &path, &d->path);
	else
		reading_error(r, v->node->at, &v->key,
			      "path is missing; allowed: such as users/{id}");
	if (value_get(r, v, "method", &method))
		value_text(r, &method, &d->method);
	else if (is_v2)
		d->method = xstrdup("*");
	else
		reading_error(r, v->node->at, &v->key,
			      "method is missing; allowed: get, post, … or any");
	value_pass_over(r, v, names);
}

static bool fix_method(struct reading *r, const struct value *v, struct draft_http *d)
{
	static const char *const known[] = {
		"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", NULL,
	};

	if (strcasecmp(d->method, "any") == 0 || strcmp(d->method, "*") == 0) {
		free(d->method);
		d->method = xstrdup("*");
		return true;
	}
	for (size_t i = 0; known[i]; i++)
		if (strcasecmp(d->method, known[i]) == 0) {
			free(d->method);
			d->method = xstrdup(known[i]);
			return true;
		}
	reading_error(r, v->node->at, &v->key,
		      "the method \"%s\"; allowed: get, head, post, put, patch, delete, "
		      "options, any",
		      d->method);
	return false;
}

/* "users", "{id}" or, as the last, "{rest+}". */
static bool is_segment(struct span s, bool is_last)
{
	bool braces = memchr(s.p, '{', s.n) || memchr(s.p, '}', s.n);
	bool greedy;

	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] == 0x7f || s.p[i] == '?' || s.p[i] == '#')
			return false;
	if (!braces)
		return true;
	greedy = s.n > 2 && s.p[s.n - 2] == '+';
	return s.n > (greedy ? 3u : 2u) && s.p[0] == '{' && s.p[s.n - 1] == '}' &&
	       memchr(s.p + 1, '{', s.n - 1) == NULL &&
	       memchr(s.p, '}', s.n - 1) == NULL && (!greedy || is_last);
}

/* With a slash before it, as the event has it. */
static bool fix_path(struct reading *r, const struct value *v, struct draft_http *d)
{
	bool right = true;

	if (d->path[0] != '/') {
		char *path = xasprintf("/%s", d->path);

		free(d->path);
		d->path = path;
	}
	for (const char *p = d->path; *p;) {
		size_t n = strcspn(p + 1, "/");

		right = right && is_segment(span_of(p + 1, n), p[1 + n] == '\0');
		p += 1 + n;
	}
	if (!right)
		reading_error(r, v->node->at, &v->key,
			      "the path \"%s\"; allowed: such as users/{id} or "
			      "files/{rest+}",
			      d->path);
	return right;
}

/* Takes what http owns. */
static void add(struct reading *r, const struct value *v, struct config_http http)
{
	struct config *c = r->config;

	for (size_t i = 0; i < c->n_http; i++) {
		struct config_http *old = &c->http[i];

		if (strcmp(old->path, http.path) != 0 ||
		    strcmp(old->method, http.method) != 0)
			continue;
		reading_info(r, v->node->at, &v->key,
			     "%s %s is that of %s in line %d too: this one counts, since "
			     "it is the last",
			     http.method, http.path,
			     r->drafts[old->function].value.key.name, old->line);
		free(old->method);
		free(old->path);
		*old = http;
		return;
	}
	if (c->n_http == MOST_HTTP) {
		reading_error(r, v->node->at, &v->key, "more than 10,000 HTTP routes");
		free(http.method);
		free(http.path);
		return;
	}
	c->http = xrealloc(c->http, (c->n_http + 1) * sizeof *c->http);
	c->http[c->n_http++] = http;
}
