#include "config/jwt_authorizer.h"

#include "config/authorizers.h"
#include "config/identity_source.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void read_type(struct reading *r, const struct value *v);
static void read_algorithm(struct reading *r, const struct value *v,
			   struct config_authorizer *a);
static void read_key(struct reading *r, const struct value *v,
		     struct config_authorizer *a);

void jwt_authorizer_read(struct reading *r, const struct value *v)
{
	static const char *const names[] = {
		"type",     "algorithm",      "key",           "keyFile", "issuer",
		"audience", "identitySource", "requireExpiry", NULL,
	};
	struct config_authorizer a = {.sort = CONFIG_JWT, .line = v->node->at.line};
	struct value text, expiry;
	bool required = true;

	if (!value_is_map(r, v))
		return;
	a.name = xstrdup(v->key.name);
	value_refuse_others(r, v, names);
	read_type(r, v);
	jwt_authorizer_read_key(r, v, &a);
	if (value_get(r, v, "issuer", &text))
		value_text(r, &text, &a.issuer);
	if (value_get(r, v, "audience", &text))
		value_text(r, &text, &a.audience);
	if (value_get(r, v, "requireExpiry", &expiry))
		value_bool(r, &expiry, &required);
	a.endless = !required;
	identity_source_read(r, v, "route.request.header.Authorization", &a);
	authorizers_add(r->config, a);
}

void jwt_authorizer_read_key(struct reading *r, const struct value *v,
			     struct config_authorizer *a)
{
	read_algorithm(r, v, a);
	read_key(r, v, a);
}

static void read_type(struct reading *r, const struct value *v)
{
	struct value type = {v->node, v->key};
	const char *text = "";

	if (value_get(r, v, "type", &type) && (text = value_peek(r, &type)) == NULL)
		return;
	if (strcmp(text, "jwt") != 0)
		reading_error(r, type.node->at, &v->key,
			      "type is \"%s\"; allowed: jwt (a function is an authorizer "
			      "by its name alone)",
			      text);
}

static void read_algorithm(struct reading *r, const struct value *v,
			   struct config_authorizer *a)
{
	static const char *const known[] = {"HS256", "RS256", "ES256"};
	struct value text;

	if (!value_get(r, v, "algorithm", &text)) {
		reading_error(r, v->node->at, &v->key,
			      "algorithm is missing; allowed: HS256, RS256, ES256");
		return;
	}
	if (!value_text(r, &text, &a->algorithm))
		return;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(a->algorithm, known[i]) == 0)
			return;
	reading_error(r, text.node->at, &text.key, "\"%s\"; allowed: HS256, RS256, ES256",
		      a->algorithm);
}

static void read_key(struct reading *r, const struct value *v,
		     struct config_authorizer *a)
{
	struct value key, file;
	bool is_key = value_get(r, v, "key", &key);
	bool is_file = value_get(r, v, "keyFile", &file);

	if (is_key == is_file) {
		reading_error(
			r, v->node->at, &v->key,
			"%s; allowed: key (the secret, or the public key in PEM) or "
			"keyFile (where it is)",
			is_key ? "key and keyFile are both there"
			       : "key and keyFile are missing");
		return;
	}
	if (is_key) {
		value_text(r, &key, &a->key);
		return;
	}
	const char *path = value_peek(r, &file);
	if (path == NULL)
		return;
	a->key_file = reading_file(r, path);
	if (access(a->key_file, R_OK) != 0)
		reading_error(r, file.node->at, &file.key,
			      "%s cannot be read; allowed: the path of a file, relative "
			      "to this one's folder",
			      a->key_file);
}
