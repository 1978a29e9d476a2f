#ifndef TABLES_EXPRESSION_H
#define TABLES_EXPRESSION_H

/*
 * The five kinds of expressions: condition and filter, update, projection, key condition;
 * and the parameters from before them.
 *
 *   text → (lexer) tokens → (parser) a tree → what is done with it
 *
 * Everything is read and checked before any item is: a wrong expression is refused also
 * when nothing would be compared. Pure: no Redis, no clock. Trees live in the arena of
 * the request.
 *
 * source  Amazon DynamoDB Developer Guide, "Using expressions in DynamoDB"
 */

#include "tables/expression/condition.h"
#include "tables/expression/key_condition.h"
#include "tables/expression/legacy.h"
#include "tables/expression/placeholders.h"
#include "tables/expression/projection.h"
#include "tables/expression/update.h"

enum {
	EXPRESSION_MOST = 4096, /* bytes of its text */
	EXPRESSION_OPERATORS_MOST = 300,
	EXPRESSION_IN_MOST = 100, /* operands of IN */
};

#endif
