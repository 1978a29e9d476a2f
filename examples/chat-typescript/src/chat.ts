// The chat of ../chat, in TypeScript: who is in a room hears what one says there.
import {
  ApiGatewayManagementApiClient,
  GoneException,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  paginateQuery,
} from '@aws-sdk/lib-dynamodb';

interface Row {
  connectionId: string;
  room: string;
}

interface Event {
  requestContext: { routeKey: string; connectionId: string };
  queryStringParameters?: Record<string, string>;
  body?: string;
}

interface Result {
  statusCode: number;
  body?: string;
}

type Message = { left: string } | { from: string; name: string; text: string };

const TableName = process.env.CONNECTIONS!;
const table = DynamoDBDocumentClient.from(new DynamoDBClient({}));
// The endpoint is in AWS_ENDPOINT_URL_APIGATEWAYMANAGEMENTAPI. On API Gateway it would be https://{domainName}/{stage}.
const client = new ApiGatewayManagementApiClient({});

const routes: Record<string, (event: Event) => Promise<Result>> = {
  $connect: async ({ requestContext: { connectionId }, queryStringParameters }) => {
    const Item: Row = { connectionId, room: queryStringParameters?.room ?? 'lobby' };
    await table.send(new PutCommand({ TableName, Item }));
    return { statusCode: 200 };
  },

  $disconnect: async ({ requestContext: { connectionId } }) => {
    const { Attributes } = await table.send(
      new DeleteCommand({ TableName, Key: { connectionId }, ReturnValues: 'ALL_OLD' }),
    );
    if (Attributes) await tellAll((Attributes as Row).room, { left: connectionId });
    return { statusCode: 200 };
  },

  say: async ({ requestContext: { connectionId }, body }) => {
    const { name, text } = JSON.parse(body ?? '{}');
    if (typeof name !== 'string' || typeof text !== 'string')
      return { statusCode: 400, body: JSON.stringify({ message: 'no name, or no text' }) };
    const { Item } = await table.send(new GetCommand({ TableName, Key: { connectionId } }));
    await tellAll((Item as Row).room, { from: connectionId, name, text });
    return { statusCode: 200 };
  },
};

export const handler = (event: Event): Promise<Result> =>
  routes[event.requestContext.routeKey](event);

// Page by page.
async function tellAll(room: string, message: Message): Promise<void> {
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

  for await (const { Items = [] } of pages)
    await Promise.all((Items as Row[]).map(({ connectionId }) => tell(connectionId, Data)));
}

// The others hear it, whatever becomes of one of them.
async function tell(ConnectionId: string, Data: string): Promise<void> {
  try {
    await client.send(new PostToConnectionCommand({ ConnectionId, Data }));
  } catch (error) {
    if (error instanceof GoneException) return;
    console.error(`${ConnectionId} did not hear it:`, error);
  }
}
