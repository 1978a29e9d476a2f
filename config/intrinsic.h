#ifndef CONFIG_INTRINSIC_H
#define CONFIG_INTRINSIC_H

/*
 * CloudFormation's functions, as far as what they ask for is known here: the names and
 * ARNs of tables, parameters with a default, and AWS::Region and its like.
 *
 *   !Ref Table            its name
 *   !GetAtt Table.Arn     arn:aws:dynamodb:REGION:ACCOUNT:table/NAME
 *   !Sub "${Table.Arn}/index/by-room"
 *   !Join ["", [!GetAtt Table.Arn, "/index/by-room"]]
 *
 * and the same written as { Ref: Table }, { Fn::GetAtt: [Table, Arn] } ….
 *
 * source  AWS CloudFormation User Guide: "Intrinsic function reference", "Pseudo parameters"
 */

#include "config/value.h"

/*
 * The text that v stands for; a text without functions is itself.
 *
 * returns  NULL when it asks for something that is not known here, or is no text; lives as long
 *          as the reading
 */
const char *intrinsic_text(struct reading *r, const struct value *v);

/* The same; ${AWS::Region} and the like (also #{…}) count in texts without !Sub, too. */
const char *intrinsic_arn(struct reading *r, const struct value *v);

#endif
