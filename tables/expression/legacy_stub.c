#include "tables/expression/expression.h"
enum err legacy_updates(struct arena *a, const struct json_value *v, struct update **out, struct refusal *no){(void)v;(void)out;return refuse(a,no,"AttributeUpdates is not supported");}
enum err legacy_expected(struct arena *a, const struct json_value *v, struct span c, struct condition **out, struct refusal *no){(void)v;(void)out;(void)c;return refuse(a,no,"Expected is not supported");}
enum err legacy_filter(struct arena *a, const struct json_value *v, struct span c, struct condition **out, struct refusal *no){(void)v;(void)out;(void)c;return refuse(a,no,"ScanFilter and QueryFilter are not supported");}
enum err legacy_key_conditions(struct arena *a, const struct json_value *v, const struct key_names *n, struct key_condition *out, struct refusal *no){(void)v;(void)out;(void)n;return refuse(a,no,"KeyConditions is not supported");}
enum err legacy_attributes(struct arena *a, const struct json_value *v, struct projection **out, struct refusal *no){(void)v;(void)out;return refuse(a,no,"AttributesToGet is not supported");}
