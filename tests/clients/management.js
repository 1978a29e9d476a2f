// AWS's own client of the management API, for one call:
//
//   management.js ENDPOINT {"id":…,"secret":…,"unsigned":false} COMMAND
//
// reads the call's input as JSON, its Data in base64 as Data64, and prints {"ok": what came back} or {"error": name, "class": of the exception, "status": …}.
'use strict';

const { readFileSync } = require('node:fs');
const api = require('@aws-sdk/client-apigatewaymanagementapi');

const [endpoint, key, command] = process.argv.slice(2);
const { id, secret, unsigned } = JSON.parse(key);
const client = new api.ApiGatewayManagementApiClient({
  endpoint,
  region: 'eu-central-1',
  maxAttempts: 1,
  credentials: { accessKeyId: id, secretAccessKey: secret },
  ...(unsigned && { signer: { sign: async (request) => request } }),
});

const { Data64, ...rest } = JSON.parse(readFileSync(0));
if (Data64 !== undefined) rest.Data = Buffer.from(Data64, 'base64');

client.send(new api[command](rest)).then(
  ({ $metadata, ...output }) => console.log(JSON.stringify({ ok: output })),
  (error) =>
    console.log(
      JSON.stringify({
        error: error.name,
        class: error.constructor.name,
        status: error.$metadata?.httpStatusCode,
        message: error.message,
      }),
    ),
);
