#ifndef CONFIG_OURS_H
#define CONFIG_OURS_H

/*
 * gatepost: (or custom.gatepost, when custom is written as a mapping), what Serverless has
 * no word for:
 *
 *   gatepost:
 *     json: strict            # or lenient: {action: "say"} is routed too
 *     context: false          # headers and query of the upgrade in every event
 *     binary: false           # binary messages reach functions, in base64
 *     workers: 2              # processes that run a Lambda function
 *     maxTimeout: 29          # seconds; more than API Gateway waits
 *     authorizers:
 *       token:
 *         type: jwt
 *         algorithm: RS256    # HS256, RS256, ES256
 *         keyFile: key.pem    # or key: the secret or the PEM itself
 *         issuer: https://id.example.org/
 *         audience: chat
 *         identitySource: route.request.querystring.token
 *     channels: …             # config/namespaces.h
 *     ports: …                # config/ports.h
 */

#include "config/value.h"

void ours_read(struct reading *r, const struct value *root);

#endif
