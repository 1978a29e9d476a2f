#include "broker/channels/client/token.h"

#include "broker/auth/token.h"

#include <jansson.h>
#include <stdlib.h>

static bool is_name(const json_t *v, struct span channel)
{
	return json_is_string(v) &&
	       span_eq(span_of(json_string_value(v), json_string_length(v)), channel);
}

static bool names(const json_t *claims, struct span channel)
{
	const json_t *list = json_object_get(claims, "channels");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (is_name(json_array_get(list, i), channel))
			return true;
	return is_name(json_object_get(claims, "channel"), channel);
}

static char *info_of(const json_t *claims)
{
	const json_t *info = json_object_get(claims, "info");

	return info == NULL ? NULL : json_dumps(info, JSON_COMPACT | JSON_ENCODE_ANY);
}

const char *channel_token_check(const struct authorizer *a, struct span token,
				struct span channel, int64_t now_ms,
				struct channel_token *out)
{
	struct token_claims found = {0};
	const char *why;
	json_t *claims;

	*out = (struct channel_token){0};
	if (authorizer_check_token(a, token, now_ms, &found, &why) != OK)
		return why;
	claims = json_loads(found.json, 0, NULL);
	if (names(claims, channel)) {
		out->expires_ms = found.expires_ms;
		out->info = info_of(claims);
	} else {
		why = "the token does not name this channel";
	}
	json_decref(claims);
	free(found.json);
	free(found.subject);
	return why;
}
