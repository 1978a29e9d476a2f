// The client of clients/js in Node, driven by lines of JSON: see channels_orders.mjs.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { Client } from '../../clients/js/index.js';
import { drive } from './channels_orders.mjs';

const { WebSocket } = createRequire(import.meta.url)('ws'); // by NODE_PATH
const report = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

const { client, obey } = drive(Client, process.argv[2], report, { WebSocket });

createInterface({ input: process.stdin })
  .on('line', (line) => obey(JSON.parse(line)))
  .on('close', () => client.close());
