#ifndef CONFIG_VARIABLE_H
#define CONFIG_VARIABLE_H

/*
 * Variables as Serverless has them:
 *
 *   ${self:custom.name}   ${env:NAME}   ${opt:stage, self:provider.stage, 'dev'}
 *
 *   variable := '${' source ( ',' source )* '}'      the first that gives something counts
 *   source   := name '(' text ( ',' text )* ')' [ ':' text ]  |  name ':' text
 *             | quoted text  |  number  |  true  |  false  |  null  |  variable
 *
 * Texts may have variables themselves. What looks otherwise (${AWS::Region},
 * ${request.body.action}) is text, and so is a variable after a backslash. A value that is
 * one variable alone becomes what it names, a list or mapping too; what is below a mapping
 * is resolved when it is read.
 *
 * The sources are in source.c. Bounded: 10,000 variables in a reading, 64 inside each
 * other, 64 KiB for a text.
 *
 * source  Serverless Framework 3: guide "Variables"; lib/configuration/variables/parse.js
 */

#include "config/reading.h"

#include "base/span.h"

/* What came of looking for something. */
enum found { FOUND, MISSING, FAILED /* and an error was reported */ };

/* One step on the way from the value that is read to what it names. */
struct walk {
	struct reading *r;
	const struct key *key;   /* of the value that is read */
	const struct node *node; /* whose text is being resolved */
	const struct walk *up;   /* the variable that refers to it */
	unsigned depth;
	char *why; /* MISSING: WHY bytes, what was missing */
};
enum { VARIABLE_WHY = 300 };

/* node without variables (but below it); NULL after an error line. */
const struct node *variable_resolve(struct reading *r, const struct key *key,
				    const struct node *node);

/* The same as one step further. FOUND: out is no text with variables. */
enum found variable_walk(const struct walk *up, const struct node *node,
			 const struct node **out);

#endif
