// Everybody hears what one says. All who are there are in the gateway's own table of connections.
'use strict';

const {
  ApiGatewayManagementApiClient,
  GoneException,
  PostToConnectionCommand,
} = require('@aws-sdk/client-apigatewaymanagementapi');

// On API Gateway it would be https://{domainName}/{stage}.
const endpoint = process.env.GATEPOST_MANAGEMENT;
const client = new ApiGatewayManagementApiClient({ endpoint });

exports.handler = async ({ requestContext, body }) => {
  const { routeKey, connectionId } = requestContext;

  if (routeKey === '$disconnect') await tellAll({ left: connectionId });
  if (routeKey === 'say') {
    const { name, text } = JSON.parse(body);
    if (typeof name !== 'string' || typeof text !== 'string') return refuse('no name, or no text');
    await tellAll({ from: connectionId, name, text });
  }
  return { statusCode: 200 };
};

const refuse = (message) => ({ statusCode: 400, body: JSON.stringify({ message }) });

async function tellAll(message) {
  const Data = JSON.stringify(message);

  for await (const ConnectionIds of connections())
    await Promise.all(ConnectionIds.map((ConnectionId) => tell({ ConnectionId, Data })));
}

// The others hear it, whatever becomes of one of them.
async function tell(post) {
  try {
    await client.send(new PostToConnectionCommand(post));
  } catch (error) {
    if (error instanceof GoneException) return;
    console.error(`${post.ConnectionId} did not hear it: ${error.name}: ${error.message}`);
  }
}

// Their ids, page by page.
async function* connections() {
  let cursor;

  do {
    const url = new URL(`${endpoint}/@connections`);
    if (cursor) url.searchParams.set('cursor', cursor);
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
    const page = await response.json();
    yield page.connections.map(({ connectionId }) => connectionId);
    cursor = page.cursor;
  } while (cursor);
}
