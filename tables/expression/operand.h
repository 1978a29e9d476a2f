#ifndef TABLES_OPERAND_H
#define TABLES_OPERAND_H

/* Operands and functions of conditions, and the checks of literals that can never fit. */

#include "tables/expression/parser.h"

enum operand_place {
	OPERAND_FIRST, /* of a condition: any function may stand there */
	OPERAND_OTHER, /* of a comparison or function: size alone */
	OPERAND_OF_SIZE,
};

/* A path, a value, or a function with its operands. */
must_use enum err operand_parse(struct parser *p, enum operand_place place,
				struct node *out);

/* A fault unless the operand can be ordered: S, N, B, or a path. */
void operand_check_ordered(struct parser *p, const char *operator_,
			   const struct node *operand);

/* A fault when both bounds are literals of different types, or in the wrong order. */
void operand_check_bounds(struct parser *p, const struct node *low,
			  const struct node *high);

#endif
