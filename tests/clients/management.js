// AWS's own client of the management API, for one call:
//
//   management.js ENDPOINT {"id":…,"secret":…,"unsigned":false} COMMAND
//
// reads the call's input as JSON, its Data in base64 as Data64, and prints {"ok": what came back} or {"error": name, "class": of the exception, "status": …}.
'use strict';

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

// Node 18 has stdin non-blocking: readFileSync(0) fails with EAGAIN when the input is longer than a pipe.
async function input() {
  const parts = [];
  for await (const part of process.stdin) parts.push(part);
  const { Data64, ...rest } = JSON.parse(Buffer.concat(parts));
  if (Data64 !== undefined) rest.Data = Buffer.from(Data64, 'base64');
  return rest;
}

async function call() {
  try {
    const { $metadata, ...output } = await client.send(new api[command](await input()));
    return { ok: output };
  } catch (error) {
    return {
      error: error.name,
      class: error.constructor.name,
      status: error.$metadata?.httpStatusCode,
      message: error.message,
    };
  }
}

call().then((answer) => console.log(JSON.stringify(answer)));
