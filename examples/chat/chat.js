// Who is in a room hears what one says there. The table has a row for each connection, and an index by room.
'use strict';

const {
  ApiGatewayManagementApiClient,
  GoneException,
  PostToConnectionCommand,
} = require('@aws-sdk/client-apigatewaymanagementapi');
const { DynamoDBClient } = require('@aws-sdk/client-dynamodb');
const {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
} = require('@aws-sdk/lib-dynamodb');

const TableName = process.env.CONNECTIONS;
const table = DynamoDBDocumentClient.from(new DynamoDBClient());

// On API Gateway it would be https://{domainName}/{stage}.
const client = new ApiGatewayManagementApiClient({ endpoint: process.env.GATEPOST_MANAGEMENT });

exports.handler = async ({ requestContext, queryStringParameters, body }) => {
  const { routeKey, connectionId } = requestContext;

  if (routeKey === '$connect') await join(connectionId, queryStringParameters?.room ?? 'lobby');
  if (routeKey === '$disconnect') await leave(connectionId);
  if (routeKey === 'say') {
    const { name, text } = JSON.parse(body);
    if (typeof name !== 'string' || typeof text !== 'string') return refuse('no name, or no text');
    await tellAll(await roomOf(connectionId), { from: connectionId, name, text });
  }
  return { statusCode: 200 };
};

const refuse = (message) => ({ statusCode: 400, body: JSON.stringify({ message }) });

const join = (connectionId, room) =>
  table.send(new PutCommand({ TableName, Item: { connectionId, room } }));

async function roomOf(connectionId) {
  const { Item } = await table.send(new GetCommand({ TableName, Key: { connectionId } }));
  return Item.room;
}

async function leave(connectionId) {
  const { Attributes } = await table.send(
    new DeleteCommand({ TableName, Key: { connectionId }, ReturnValues: 'ALL_OLD' }),
  );
  if (Attributes) await tellAll(Attributes.room, { left: connectionId });
}

// Page by page.
async function tellAll(room, message) {
  const Data = JSON.stringify(message);
  const pages = paginateQuery(
    { client: table },
    {
      TableName,
      IndexName: 'by-room',
      KeyConditionExpression: 'room = :room',
      ExpressionAttributeValues: { ':room': room },
    },
  );

  for await (const { Items } of pages)
    await Promise.all(Items.map(({ connectionId: ConnectionId }) => tell({ ConnectionId, Data })));
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
