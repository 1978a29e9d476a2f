#ifndef BROKER_ROUTES_EXPRESSION_H
#define BROKER_ROUTES_EXPRESSION_H

/*
 * Route selection expressions: which route a message takes, from its body.
 *
 *   $request.body.action    ${request.body.service}/${request.body.items[0]}    \$default
 *
 *   expr := ( literal | '\$' | '$' var | '${' var '}' )*
 *   var  := 'request.body' ( '.' name | '[' number ']' | '["name"]' | "['name']" )+
 *
 * A name after a dot goes on for letters, digits, '_', '-' and what is not ASCII; in
 * braces for all but '.', '[', ']', '{' and '}' and quotes.
 */

#include "base/err.h"
#include "base/span.h"

struct expression;

/*
 * Compile.
 *
 * why      n bytes, for a sentence that names the column when text is malformed
 * returns  the expression, or NULL with why filled
 */
struct expression *expression_new(const char *text, char *why, size_t n);
void expression_free(struct expression *x); /* NULL is fine */

/* Bodies may have keys without quotes (JSON_BARE_KEYS). */
void expression_be_lenient(struct expression *x);

/*
 * The route key of a message.
 *
 * body     strict JSON; not looked at when the expression has no variables
 * out      room bytes; n says how many were filled (no zero at the end). What is
 *          missing or null is "", numbers and booleans are as written, arrays and
 *          objects are their JSON text
 * returns  OK; ERR_MALFORMED: body is not JSON (the message goes to $default);
 *          ERR_TOOBIG: the key has more than room bytes, or body is nested deeper
 *          than json_depth()
 */
must_use enum err expression_eval(const struct expression *x, struct span body, char *out,
				  size_t room, size_t *n);

#endif
