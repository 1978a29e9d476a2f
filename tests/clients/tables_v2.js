// One round of AWS SDK 2 on a table: argv has its name. It sets no endpoint. Prints what its user
// sees, as one JSON object.
'use strict';

process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = '1';
const AWS = require('aws-sdk');

const TableName = process.argv[2];
const client = new AWS.DynamoDB({ maxRetries: 0 });
const doc = new AWS.DynamoDB.DocumentClient({ maxRetries: 0 });

const errorOf = (request) => request.promise().catch(({ code, statusCode }) => ({ code, statusCode }));

async function main() {
  const seen = {};
  await client
    .createTable({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    })
    .promise();
  seen.status = (await client.waitFor('tableExists', { TableName }).promise()).Table.TableStatus;

  await doc.put({ TableName, Item: { id: 'a', n: 1, who: doc.createSet(['ada']) } }).promise();
  const item = (await doc.get({ TableName, Key: { id: 'a' } }).promise()).Item;
  seen.item = { ...item, who: item.who.values };
  seen.condition = await errorOf(
    doc.put({ TableName, Item: { id: 'a' }, ConditionExpression: 'attribute_not_exists(id)' }),
  );
  seen.missing = await errorOf(doc.get({ TableName: 'nowhere', Key: { id: 'a' } }));
  seen.count = (await doc.scan({ TableName }).promise()).Count;

  await client.deleteTable({ TableName }).promise();
  await client.waitFor('tableNotExists', { TableName }).promise();
  seen.push = new AWS.ApiGatewayManagementApi().endpoint.href;
  console.log(JSON.stringify(seen));
}

main();
