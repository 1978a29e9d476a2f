#ifndef CONFIG_SOURCE_H
#define CONFIG_SOURCE_H

/*
 * Where variables come from:
 *
 *   self:a.b.0.c        the same file; a number is an item of a list
 *   env:NAME            the environment; with useDotenv: true also .env.STAGE and .env
 *   opt:NAME            --opt NAME=…; opt:stage is --stage
 *   sls:stage           --stage, else provider.stage, else dev; sls:instanceId: random
 *   param:NAME          params.STAGE.NAME, else params.default.NAME
 *   file(PATH):a.b      a YAML or JSON file; any other is one text. PATH is relative to the
 *                       folder of the first file, also from inside of a second one
 *   strToBool(TEXT)     true and 1, false and 0
 *
 * A file may be anywhere, as shared ones are (../shared.yml): the author of the configuration
 * says which programs run, so that there is nothing to protect from him. What needs AWS
 * (ssm, cf, s3, aws) or runs code (file(x.js)) gives nothing: write a default after a comma.
 */

#include "config/variable.h"

struct source {
	struct span name;
	const char *parameter; /* between parentheses; NULL: none */
	const char *address;   /* after the colon; "" when there is none */
};

enum found source_find(const struct walk *w, const struct source *s,
		       const struct node **out);

#endif
