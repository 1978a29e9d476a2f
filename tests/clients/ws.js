// npm's `ws`, driven by lines of JSON: see tests/lib/client.py.
'use strict';

const readline = require('node:readline');
const WebSocket = require('ws');

const report = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

const socket = new WebSocket(process.argv[2]);
socket.on('open', () => report({ open: true }));
socket.on('message', (bytes, isBinary) =>
  report(isBinary ? { binary: bytes.toString('hex') } : { text: bytes.toString() }),
);
socket.on('pong', (bytes) => report({ pong: bytes.toString() }));
socket.on('unexpected-response', (_, response) => {
  report({ refused: response.statusCode });
  process.exit();
});
socket.on('error', (error) => report({ error: error.message }));
socket.on('close', (code, reason) => {
  report({ closed: [code, reason.toString()] });
  process.exit();
});

readline
  .createInterface({ input: process.stdin })
  .on('line', (line) => {
    const order = JSON.parse(line);
    if ('text' in order) socket.send(order.text);
    if ('binary' in order) socket.send(Buffer.from(order.binary, 'hex'));
    if ('ping' in order) socket.ping(order.ping);
    if ('close' in order) socket.close(...order.close);
  })
  .on('close', () => socket.close());
