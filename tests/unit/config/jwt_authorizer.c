#include "fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>

ParameterizedTestParameters(jwt_authorizer, refuses)
{
	static struct fixture_row rows[] = {
		{"another type",
		 FIXTURE_ANY "gatepost:\n"
			     "  authorizers:\n"
			     "    t: { type: oauth, algorithm: HS256, key: k }\n",
		 "8:16: gatepost.authorizers.t: type is \"oauth\"; allowed: jwt (a "
		 "function is an authorizer by its name alone)\n"},
		{"no type",
		 FIXTURE_ANY "gatepost:\n"
			     "  authorizers:\n"
			     "    t: { algorithm: HS256, key: k }\n",
		 "8:8: gatepost.authorizers.t: type is \"\"; allowed: jwt (a function is "
		 "an authorizer by its name alone)\n"},
		{"no algorithm",
		 FIXTURE_ANY "gatepost:\n"
			     "  authorizers:\n"
			     "    t: { type: jwt, key: k }\n",
		 "8:8: gatepost.authorizers.t: algorithm is missing; allowed: HS256, "
		 "RS256, ES256\n"},
		{"the algorithm none",
		 FIXTURE_ANY "gatepost:\n"
			     "  authorizers:\n"
			     "    t: { type: jwt, algorithm: none, key: k }\n",
		 "8:32: gatepost.authorizers.t.algorithm: \"none\"; allowed: HS256, "
		 "RS256, ES256\n"},
		{"no key",
		 FIXTURE_ANY "gatepost:\n"
			     "  authorizers:\n"
			     "    t: { type: jwt, algorithm: HS256 }\n",
		 "8:8: gatepost.authorizers.t: key and keyFile are missing; allowed: key "
		 "(the secret, or the public key in PEM) or keyFile (where it is)\n"},
		{"two keys",
		 FIXTURE_ANY
		 "gatepost:\n"
		 "  authorizers:\n"
		 "    t: { type: jwt, algorithm: HS256, key: k, keyFile: f }\n",
		 "8:8: gatepost.authorizers.t: key and keyFile are both there; allowed: "
		 "key (the secret, or the public key in PEM) or keyFile (where it is)\n"},
		{"a key file that is not there",
		 FIXTURE_ANY
		 "gatepost:\n"
		 "  authorizers:\n"
		 "    t: { type: jwt, algorithm: HS256, keyFile: /nowhere/key.pem }\n",
		 "8:48: gatepost.authorizers.t.keyFile: /nowhere/key.pem cannot be read; "
		 "allowed: the path of a file, relative to this one's folder\n"},
		{"a key misspelt",
		 FIXTURE_ANY
		 "gatepost:\n"
		 "  authorizers:\n"
		 "    t: { type: jwt, algoritm: HS256, algorithm: HS256, key: k }\n",
		 "8:21: gatepost.authorizers.t: there is no key \"algoritm\" (did you "
		 "mean algorithm?); allowed: type, algorithm, key, keyFile, issuer, "
		 "audience, identitySource, requireExpiry\n"},
		{"a text",
		 FIXTURE_ANY "gatepost:\n"
			     "  authorizers:\n"
			     "    t: jwt\n",
		 "8:8: gatepost.authorizers.t: this is a text; allowed: a mapping\n"},
	};
	return cr_make_param_array(struct fixture_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct fixture_row *row, jwt_authorizer, refuses)
{
	fixture_check(row);
}

Test(jwt_authorizer, finds_its_key_beside_the_configuration)
{
	struct fixture b = {0};

	fixture_file(&b, "key.pem", "PEM");
	fixture_read(&b, FIXTURE_EVENT
		     "      - websocket: { route: $connect, authorizer: t }\n"
		     "gatepost:\n"
		     "  authorizers:\n"
		     "    t: { type: jwt, algorithm: ES256, keyFile: ./key.pem }\n");
	cr_assert(eq(str, b.errors, ""));
	const struct config_authorizer *a = &b.config->authorizers[0];
	cr_expect(eq(str, a->key_file, "key.pem"));
	cr_expect(eq(ptr, a->key, NULL));
	cr_expect(eq(ptr, a->issuer, NULL));
	cr_expect(eq(str, a->identity[0], "route.request.header.Authorization"));
	fixture_close(&b);
}
