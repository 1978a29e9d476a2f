import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from '../index.js';
import { heard, meet, PATIENCE_MS } from './server.js';

test('a token is sent as the subprotocol bearer', async (t) => {
  const { peers } = await meet(t, { getToken: async () => 'abc.def' });
  const { request } = await peers.next();
  assert.equal(request.headers['sec-websocket-protocol'], 'bearer,abc.def');
});

test('a token is sent as the query parameter that is configured', async (t) => {
  const { peers } = await meet(t, { getToken: async () => 'a&b', tokenQuery: 'token' });
  const { request } = await peers.next();
  assert.equal(request.url, '/dev?token=a%26b');
});

test('a token is kept until 4401, which has another one fetched', async (t) => {
  let tokens = 0;
  const { peers } = await meet(t, { getToken: async () => `t${++tokens}`, tokenQuery: 'token' });
  for (const [code, url] of [[1012, '/dev?token=t1'], [4401, '/dev?token=t1'], [1012, '/dev?token=t2']]) {
    const peer = await peers.next();
    assert.equal(peer.request.url, url);
    peer.socket.close(code);
  }
  assert.equal((await peers.next()).request.url, '/dev?token=t2');
});

test('a getToken that fails is tried again', async (t) => {
  let tokens = 0;
  const getToken = async () => {
    if (++tokens < 3) throw new Error('no network');
    return 't';
  };
  const { client, peers } = await meet(t, { getToken });
  const errors = heard(client, 'error');
  await peers.next();
  assert.equal(tokens, 3);
  const [, error] = await errors.next();
  assert.deepEqual([error.code, error.message, error.retryable], ['token', 'getToken: no network', true]);
});

test('a refused handshake has another token fetched, and is tried again', async (t) => {
  let tokens = 0;
  const refuse = ({ req }) => [req.url.endsWith('t3'), 401, 'Unauthorized'];
  const { peers } = await meet(t, { getToken: async () => `t${++tokens}`, tokenQuery: 'token' }, { refuse });
  assert.equal((await peers.next()).request.url, '/dev?token=t3');
});

test('Retry-After of a refused handshake is waited for', async (t) => {
  let tries = 0;
  const refuse = () => [++tries > 1, 503, 'Service Unavailable', { 'Retry-After': '1' }];
  const { client, peers } = await meet(t, {}, { refuse });
  const [, closed] = await heard(client, 'close').next();
  assert.equal(closed.status, 503);
  assert.ok(closed.delay >= 1000 && closed.delay < 1100, `${closed.delay}`);
  await peers.next();
});

test('a server that is busy (1013) is left alone for a second', async (t) => {
  const { client, peers } = await meet(t);
  const closes = heard(client, 'close');
  (await peers.next()).socket.close(1013);
  const [, { code, final, delay }] = await closes.next();
  assert.deepEqual([code, final], [1013, false]);
  assert.ok(delay >= 1000 && delay < 1100, `${delay}`);
});

test('delays grow to the cap with full jitter, and a drain (1012) begins anew', async (t) => {
  const random = t.mock.method(Math, 'random', () => 0.5);
  const { client, peers } = await meet(t, { minDelay: 4, maxDelay: 20 });
  const closes = heard(client, 'close');
  const delays = [];
  for (const code of [1001, 1001, 1001, 1001, 1001, 1012]) {
    (await peers.next()).socket.close(code);
    delays.push((await closes.next())[1].delay);
  }
  assert.deepEqual(delays, [2, 4, 8, 10, 10, 2]);
  assert.ok(random.mock.callCount() >= 6);
});

test('by default the first delay is at most half a second, and the longest 30 s', async (t) => {
  t.mock.method(Math, 'random', () => 1);
  class Refused {
    constructor() {
      queueMicrotask(() => this.onclose({ code: 1006, reason: '' }));
    }
  }
  const later = setTimeout;
  t.mock.method(globalThis, 'setTimeout', (callback, ms) => later(callback, ms === PATIENCE_MS ? ms : 0));
  const client = new Client('ws://127.0.0.1:9/', { WebSocket: Refused });
  t.after(() => client.close());
  const closes = heard(client, 'close');
  const delays = [];
  for (let i = 0; i < 8; i++) {
    const [, { delay }] = await closes.next();
    delays.push(delay);
  }
  assert.deepEqual(delays, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
});

for (const code of [1000, 4403])
  test(`a server that closes with ${code} is not connected to again, until connect() is called`, async (t) => {
    const { client, peers } = await meet(t);
    const closes = heard(client, 'close');
    (await peers.next()).socket.close(code, 'go');
    assert.deepEqual(await closes.next(), [
      'close',
      { code, reason: 'go', status: undefined, final: true, delay: undefined },
    ]);
    assert.equal(client.state, 'closed');
    client.connect();
    await peers.next();
  });

test('close() ends it, and what waits is rejected', async (t) => {
  const { client, peers } = await meet(t);
  const peer = await peers.next();
  const sent = client.publish('room:1', 1);
  await peer.next('publish');
  client.close(1000, 'bye');
  await assert.rejects(sent, { code: 'closed', retryable: false });
  await assert.rejects(client.history('room:1'), { code: 'closed' });
  assert.equal(await peer.closed, 1000);
});

test('a server that cannot be reached is tried again and again', async (t) => {
  const { client, server } = await meet(t);
  const closes = heard(client, 'close');
  for (const socket of server.clients) socket.terminate();
  server.close();
  for (let i = 0; i < 10; i++) assert.equal((await closes.next())[1].final, false);
});

test('a silent server is asked, and given up when it says nothing', async (t) => {
  const { client, peers } = await meet(t, { ping: 30, timeout: 50 });
  const closes = heard(client, 'close');
  const peer = await peers.next();
  await peer.acknowledge('ping');
  await peer.next('ping');
  assert.equal((await closes.next())[1].code, 1006);
  await peers.next();
});

test('a connection that is not opened in time is given up', async (t) => {
  class Never {
    close() {}
  }
  const client = new Client('ws://127.0.0.1:9/', { WebSocket: Never, timeout: 20, minDelay: 1 });
  t.after(() => client.close());
  const errors = heard(client, 'error');
  assert.equal((await errors.next())[1].code, 'timeout');
  assert.equal((await errors.next())[1].code, 'timeout');
});

test('without a WebSocket it says what to set', () => {
  assert.throws(() => new Client('ws://127.0.0.1/', { WebSocket: undefined }), /options\.WebSocket/);
});

test('frames that are not of channels are events of their own', async (t) => {
  const { client, peers } = await meet(t);
  const frames = heard(client, 'frame');
  const peer = await peers.next();
  const others = ['PONG!', '{"message":"Forbidden"}', '[]', '[1]', 'null', '[{"type":"ack"},{"type":"x"}]'];
  peer.send(...others);
  for (const text of others) assert.deepEqual(await frames.next(), ['frame', text]);
});

test('a listener that is removed hears nothing more', async (t) => {
  const { client, peers } = await meet(t);
  const all = [];
  const remove = client.on('frame', (data) => all.push(data));
  const frames = heard(client, 'frame');
  const peer = await peers.next();
  peer.send('a');
  await frames.next();
  remove();
  peer.send('b');
  await frames.next();
  assert.deepEqual(all, ['a']);
});
