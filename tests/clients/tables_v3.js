// One round of AWS SDK 3 on a table: argv has its name. Prints what its user sees, as one JSON object.
'use strict';

const {
  ConditionalCheckFailedException,
  CreateTableCommand,
  DeleteTableCommand,
  DynamoDBClient,
  waitUntilTableExists,
  waitUntilTableNotExists,
} = require('@aws-sdk/client-dynamodb');
const {
  BatchWriteCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
  paginateQuery,
  paginateScan,
} = require('@aws-sdk/lib-dynamodb');

const TableName = process.argv[2];
const client = new DynamoDBClient({ maxAttempts: 1 });
const doc = DynamoDBDocumentClient.from(client);
const send = (Command, input) => doc.send(new Command({ TableName, ...input }));

async function pages(paginator) {
  const found = [];
  for await (const { Items } of paginator) found.push(Items.length);
  return found;
}

async function errorOf(promise) {
  try {
    return await promise;
  } catch (error) {
    const known = error instanceof ConditionalCheckFailedException;
    return { name: error.name, known, item: error.Item, status: error.$metadata.httpStatusCode };
  }
}

async function main() {
  const seen = {};
  await send(CreateTableCommand, {
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'room', AttributeType: 'S' },
      { AttributeName: 'at', AttributeType: 'N' },
    ],
    KeySchema: [
      { AttributeName: 'room', KeyType: 'HASH' },
      { AttributeName: 'at', KeyType: 'RANGE' },
    ],
  });
  const waiter = { client, maxWaitTime: 30, minDelay: 1 };
  seen.exists = (await waitUntilTableExists(waiter, { TableName })).state;

  const Key = { room: 'tea', at: 0 };
  await send(PutCommand, { Item: { ...Key, who: new Set(['ada']), more: { list: [1, null, true] } } });
  seen.updated = await send(UpdateCommand, {
    Key,
    UpdateExpression: 'SET more.#l[0] = :v ADD who :w',
    ExpressionAttributeNames: { '#l': 'list' },
    ExpressionAttributeValues: { ':v': 2.5, ':w': new Set(['grace']) },
    ReturnValues: 'UPDATED_NEW',
  }).then(({ Attributes }) => ({ ...Attributes, who: [...Attributes.who] }));
  seen.item = (await send(GetCommand, { Key, ProjectionExpression: 'more' })).Item;
  seen.condition = await errorOf(
    send(PutCommand, {
      Item: Key,
      ConditionExpression: 'attribute_not_exists(room)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    }),
  );
  seen.validation = await errorOf(send(GetCommand, { Key: { room: 'tea' } }));

  const puts = Array.from({ length: 9 }, (_, i) => ({
    PutRequest: { Item: { room: 'tea', at: i + 1 } },
  }));
  const batch = new BatchWriteCommand({ RequestItems: { [TableName]: puts } });
  seen.unprocessed = (await doc.send(batch)).UnprocessedItems;
  seen.scanned = await pages(paginateScan({ client: doc, pageSize: 4 }, { TableName }));
  seen.queried = await pages(
    paginateQuery(
      { client: doc, pageSize: 4 },
      {
        TableName,
        KeyConditionExpression: 'room = :r AND #at > :n',
        ExpressionAttributeNames: { '#at': 'at' },
        ExpressionAttributeValues: { ':r': 'tea', ':n': 4 },
      },
    ),
  );
  seen.deleted = (await send(DeleteCommand, { Key, ReturnValues: 'ALL_OLD' })).Attributes.at;

  await send(DeleteTableCommand, {});
  seen.gone = (await waitUntilTableNotExists(waiter, { TableName })).state;
  console.log(JSON.stringify(seen));
}

main();
