import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, heard, meet, message } from './server.js';

test('a publish resolves with its ack', async (t) => {
  const { client, peers } = await meet(t);
  const published = client.publish('room:1', { text: 'hi' }, { tags: { lang: 'en' }, version: 7, receipt: true });
  const peer = await peers.next();
  const { id, key, ...rest } = await peer.next('publish');
  assert.deepEqual(rest, {
    action: 'publish', channel: 'room:1', data: { text: 'hi' }, tags: { lang: 'en' }, version: 7, receipt: true,
  }); // prettier-ignore
  assert.match(key, /^\w{20,}$/);
  peer.send({ type: 'ack', id, ...at(1), edges: 2, connections: 3 });
  const { epoch, offset, connections } = await published;
  assert.deepEqual([epoch, offset, connections], ['e1', 1, 3]);
});

test('each publish has a key of its own', async (t) => {
  const { client, peers } = await meet(t);
  const peer = await peers.next();
  for (let i = 0; i < 3; i++) client.publish('room:1', i).catch(() => {});
  const keys = new Set();
  for (let i = 0; i < 3; i++) keys.add((await peer.next('publish')).key);
  assert.equal(keys.size, 3);
});

test('an error rejects with code, message and retryable, and with the key of the publish', async (t) => {
  const { client, peers } = await meet(t);
  const published = client.publish('room:1', 1, { key: 'k' });
  const peer = await peers.next();
  const { id } = await peer.next('publish');
  peer.send({ type: 'error', id, code: 'unavailable', message: 'Try again', retryable: true });
  await assert.rejects(published, {
    name: 'ChannelError', code: 'unavailable', message: 'Try again', retryable: true, key: 'k', channel: 'room:1',
  }); // prettier-ignore
});

test('a publish that was cut is sent once more, with its key and before later ones', async (t) => {
  const { client, peers } = await meet(t);
  const first = client.publish('room:1', 1);
  const peer = await peers.next();
  const { key } = await peer.next('publish');
  const closes = heard(client, 'close');
  peer.socket.terminate();
  await closes.next();
  const second = client.publish('room:1', 2);
  const next = await peers.next();
  assert.equal((await next.acknowledge('publish', { ...at(1), duplicate: true })).key, key);
  assert.equal((await next.acknowledge('publish', at(2))).data, 2);
  assert.equal((await first).duplicate, true);
  await second;
});

test('a publish that was cut twice is rejected', async (t) => {
  const { client, peers } = await meet(t);
  const published = client.publish('room:1', 1);
  for (let i = 0; i < 2; i++) {
    const peer = await peers.next();
    await peer.next('publish');
    peer.socket.terminate();
  }
  await assert.rejects(published, { code: 'connection_lost', retryable: true });
  assert.equal((await peers.next()).frames.length, 0);
});

test('a publish without a key is not sent again', async (t) => {
  const { client, peers } = await meet(t);
  const published = client.publish('room:1', 1, { key: null });
  const peer = await peers.next();
  assert.equal((await peer.next('publish')).key, undefined);
  peer.socket.terminate();
  await assert.rejects(published, { code: 'connection_lost', retryable: true });
});

test('what does not fit into the offline queue is rejected', async (t) => {
  const { client, peers } = await meet(t, { queue: 2 });
  const waiting = [client.publish('room:1', 1), client.history('room:1')];
  await assert.rejects(client.publish('room:1', 3), { code: 'offline_queue_full', retryable: true });
  const peer = await peers.next();
  await peer.acknowledge('publish');
  await peer.acknowledge('history', { messages: [message(1)] });
  assert.equal((await Promise.all(waiting))[1].messages[0].data, 1);
});

test('the offline queue holds 100 operations by default', async (t) => {
  const { client } = await meet(t);
  const all = Array.from({ length: 101 }, (_, i) => client.publish('room:1', i));
  await assert.rejects(all[100], { code: 'offline_queue_full' });
  client.close();
  for (const one of all.slice(0, 100)) await assert.rejects(one, { code: 'closed' });
});

test('history, presence and ping send what they are given', async (t) => {
  const { client, peers } = await meet(t);
  const all = [
    client.history('room:1', { limit: 5, since: at(1), until: at(9), reverse: true }),
    client.presence('room:1', { limit: 5, cursor: 'c' }),
    client.ping(),
  ];
  const peer = await peers.next();
  const strip = ({ id, ...rest }) => rest;
  assert.deepEqual(strip(await peer.acknowledge('history')), {
    action: 'history', channel: 'room:1', limit: 5, since: at(1), until: at(9), reverse: true,
  }); // prettier-ignore
  assert.deepEqual(strip(await peer.acknowledge('presence', { members: [], connections: 0 })), {
    action: 'presence', channel: 'room:1', limit: 5, cursor: 'c',
  }); // prettier-ignore
  assert.deepEqual(strip(await peer.acknowledge('ping', { time: 5 })), { action: 'ping' });
  assert.equal((await Promise.all(all))[2].time, 5);
});

test('an operation without an answer is rejected in time', async (t) => {
  const { client } = await meet(t, { timeout: 300 });
  await assert.rejects(client.publish('room:1', 1), { code: 'timeout', retryable: true });
});

test('data that is no JSON is rejected', async (t) => {
  const { client } = await meet(t);
  await assert.rejects(client.publish('room:1', 1n), TypeError);
});

test('an error that belongs to no operation is an event', async (t) => {
  const { client, peers } = await meet(t);
  const errors = heard(client, 'error');
  (await peers.next()).send({ type: 'error', code: 'internal', message: 'x', retryable: true });
  assert.equal((await errors.next())[1].code, 'internal');
});
