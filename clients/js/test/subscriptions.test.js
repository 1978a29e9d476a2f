import assert from 'node:assert/strict';
import { test } from 'node:test';
import { at, heard, meet, message } from './server.js';

/** A subscription of room:1 that is live at an offset, and all that it emits. */
async function live(t, options = {}, { offset = 0, ack = at(offset), client: more } = {}) {
  const it = await meet(t, more);
  const sub = it.client.subscribe('room:1', options);
  const events = heard(sub, 'message', 'presence', 'reset', 'unsubscribed', 'subscribed', 'error');
  const peer = await it.peers.next();
  const asked = await peer.acknowledge('subscribe', ack);
  await sub.ready;
  await events.next(); // subscribed
  return { ...it, sub, events, peer, asked };
}

const cut = async ({ peer, peers }) => {
  peer.socket.terminate();
  return peers.next();
};
const data = async (events) => {
  const [type, event] = await events.next();
  assert.equal(type, 'message', JSON.stringify(event));
  return event.data;
};

test('a subscribe sends its options, and is ready with the ack', async (t) => {
  const options = { filter: { tag: 'a', eq: '1' }, recover: 'stream', presence: true, batch: true, token: 'T' };
  const { asked, sub } = await live(t, options, { offset: 4 });
  const { id, ...rest } = asked;
  assert.deepEqual(rest, { action: 'subscribe', channel: 'room:1', ...options });
  assert.deepEqual(sub.position, at(4));
  assert.equal((await sub.ready).offset, 4);
});

test('messages come in order, and copies are dropped', async (t) => {
  const { events, peer, sub } = await live(t);
  peer.send(message(1), message(2), message(1), message(2), message(3));
  assert.deepEqual([await data(events), await data(events), await data(events)], [1, 2, 3]);
  assert.deepEqual(sub.position, at(3));
});

test('several messages in one frame are several events', async (t) => {
  const { events, peer } = await live(t, { batch: true });
  peer.send([message(1), message(2)]);
  assert.deepEqual([await data(events), await data(events)], [1, 2]);
});

test('messages of channels without history come as they are', async (t) => {
  const { events, peer, sub } = await live(t, {}, { ack: {} });
  const plain = { type: 'message', channel: 'room:1', data: 'x' };
  peer.send(plain, plain);
  assert.deepEqual([await data(events), await data(events)], ['x', 'x']);
  assert.equal(sub.position, undefined);
});

test('the client hears what its subscriptions hear', async (t) => {
  const { client, peer } = await live(t);
  const all = heard(client, 'message', 'presence', 'reset', 'unsubscribed');
  const reset = { type: 'reset', channel: 'room:1', ...at(9, 'e2'), recovered: false, reason: 'epoch' };
  const presence = { type: 'presence', channel: 'room:1', joined: [], left: [], connections: 1, users: 1 };
  const gone = { type: 'unsubscribed', channel: 'room:1', reason: 'server' };
  peer.send(message(1), presence, reset, gone);
  for (const frame of [message(1), presence, reset, gone]) assert.deepEqual(await all.next(), [frame.type, frame]);
});

test('after a reconnect it subscribes from its position, and what was missed comes first', async (t) => {
  const it = await live(t);
  const { events, sub } = it;
  it.peer.send(message(1));
  await data(events);
  const peer = await cut(it);
  const { since } = await peer.acknowledge('subscribe', { ...at(3), recovered: true });
  assert.deepEqual(since, at(1));
  assert.equal((await events.next())[1].recovered, true);
  peer.send(message(2), message(3), message(4));
  assert.deepEqual([await data(events), await data(events), await data(events)], [2, 3, 4]);
  assert.deepEqual(sub.position, at(4));
});

test('one that is cut while it catches up asks for the rest', async (t) => {
  const it = await live(t);
  let peer = await cut(it);
  await peer.acknowledge('subscribe', { ...at(3), recovered: true });
  peer.send(message(1));
  await it.events.next();
  await data(it.events);
  peer = await cut({ ...it, peer });
  assert.deepEqual((await peer.next('subscribe')).since, at(1));
});

test('a position that the application kept is where it begins', async (t) => {
  const { asked, events, peer } = await live(t, { since: at(5) }, { ack: { ...at(6), recovered: true } });
  assert.deepEqual(asked.since, at(5));
  peer.send(message(6));
  assert.equal(await data(events), 6);
});

test('what could not be recovered is a reset', async (t) => {
  for (const [top, reason] of [[at(50), 'trimmed'], [at(2, 'e2'), 'epoch']]) {
    const it = await live(t, {}, { offset: 3 });
    const peer = await cut(it);
    await peer.acknowledge('subscribe', { ...top, recovered: false });
    assert.equal((await it.events.next())[0], 'subscribed');
    assert.deepEqual(await it.events.next(), [
      'reset',
      { type: 'reset', channel: 'room:1', ...top, recovered: false, reason },
    ]);
    peer.send(message(top.offset + 1, { epoch: top.epoch }));
    assert.equal(await data(it.events), top.offset + 1);
  }
});

test('a reset of the server moves the position', async (t) => {
  const { events, peer, sub } = await live(t);
  peer.send({ type: 'reset', channel: 'room:1', ...at(7, 'e2'), recovered: false, reason: 'epoch' });
  assert.equal((await events.next())[1].reason, 'epoch');
  peer.send(message(8, { epoch: 'e2' }));
  assert.equal(await data(events), 8);
  assert.deepEqual(sub.position, at(8, 'e2'));
});

test('a gap has it subscribe again from its position', async (t) => {
  const { events, peer } = await live(t);
  peer.send(message(1), message(3), message(4));
  assert.equal((await peer.acknowledge('unsubscribe')).channel, 'room:1');
  assert.deepEqual((await peer.acknowledge('subscribe', { ...at(4), recovered: true })).since, at(1));
  peer.send(message(2), message(3), message(4));
  assert.equal(await data(events), 1);
  assert.equal((await events.next())[0], 'subscribed');
  assert.deepEqual([await data(events), await data(events), await data(events)], [2, 3, 4]);
});

test('a gap that stays is a reset, not a loop', async (t) => {
  const { events, peer } = await live(t);
  peer.send(message(1), message(3));
  await peer.acknowledge('unsubscribe');
  await peer.acknowledge('subscribe', { ...at(3), recovered: true });
  peer.send(message(3));
  assert.equal(await data(events), 1);
  await events.next();
  assert.deepEqual(await events.next(), [
    'reset',
    { type: 'reset', channel: 'room:1', ...at(2), recovered: false, reason: 'lost' },
  ]);
  assert.equal(await data(events), 3);
  assert.equal(peer.frames.length, 0);
});

test('a filter leaves out offsets', async (t) => {
  const { events, peer } = await live(t, { filter: { tag: 'a', exists: true } });
  peer.send(message(2), message(9));
  assert.deepEqual([await data(events), await data(events)], [2, 9]);
});

test('recover: cache gives the latest one at once, and again only when it is newer', async (t) => {
  const it = await live(t, { recover: 'cache' }, { offset: 7 });
  assert.equal(it.asked.recover, 'cache');
  it.peer.send(message(7));
  assert.equal(await data(it.events), 7);
  for (const [top, news] of [[7, false], [12, true]]) {
    const peer = await cut(it);
    it.peer = peer;
    assert.equal((await peer.acknowledge('subscribe', at(top))).since, undefined);
    await it.events.next();
    peer.send(message(top), message(top + 1));
    if (news) assert.equal(await data(it.events), top);
    assert.equal(await data(it.events), top + 1);
  }
});

test('a namespace that recovers from the cache by default is noticed', async (t) => {
  const it = await live(t, {}, { offset: 7 });
  it.peer.send(message(7), message(9));
  assert.deepEqual([await data(it.events), await data(it.events)], [7, 9]);
});

test('many subscribes go in arrays of at most 100', async (t) => {
  const { client, peers } = await meet(t);
  const subs = Array.from({ length: 250 }, (_, i) => client.subscribe(`room:${i}`));
  for (let round = 0; round < 2; round++) {
    const peer = await peers.next();
    const sizes = [];
    for (let i = 0; i < 3; i++) {
      const frame = await peer.frames.next();
      sizes.push(frame.length);
      peer.send(...frame.map(({ id }) => ({ type: 'ack', id, ...at(0) })));
    }
    assert.deepEqual(sizes, [100, 100, 50]);
    await Promise.all(subs.map(({ ready }) => ready));
    peer.socket.terminate();
  }
});

test('an array is not longer than a frame should be', async (t) => {
  const { client, peers } = await meet(t);
  for (let i = 0; i < 10; i++) client.subscribe(`room:${i}`, { token: 'x'.repeat(10000) });
  const peer = await peers.next();
  assert.equal((await peer.frames.next()).length, 3);
});

test('one whose answer does not fit into the array is sent in a frame of its own', async (t) => {
  const { client, peers } = await meet(t);
  const subs = ['room:1', 'room:2'].map((channel) => client.subscribe(channel));
  const peer = await peers.next();
  const [first, second] = await peer.frames.next();
  peer.send({ type: 'ack', id: first.id, ...at(0) });
  peer.send({ type: 'error', id: second.id, code: 'limit', message: 'subscribe in a frame of its own', retryable: true });
  assert.equal((await peer.acknowledge('subscribe', at(0))).channel, 'room:2');
  await Promise.all(subs.map(({ ready }) => ready));
});

test('where arrays are refused each is sent alone', async (t) => {
  const { client, peers } = await meet(t);
  const subs = ['room:1', 'room:2'].map((channel) => client.subscribe(channel));
  const peer = await peers.next();
  assert.equal((await peer.frames.next()).length, 2);
  peer.send({ type: 'error', code: 'bad_request', message: 'not all of these are channels', retryable: false });
  for (const { channel } of subs) assert.equal((await peer.acknowledge('subscribe', at(0))).channel, channel);
  await Promise.all(subs.map(({ ready }) => ready));
});

test('a retryable error is tried again', async (t) => {
  const { client, peers } = await meet(t);
  const sub = client.subscribe('room:1');
  const errors = heard(sub, 'error');
  const peer = await peers.next();
  for (let i = 0; i < 3; i++) {
    const { id } = await peer.next('subscribe');
    peer.send({ type: 'error', id, code: 'unavailable', message: 'no Redis', retryable: true });
    assert.equal((await errors.next())[1].code, 'unavailable');
  }
  await peer.acknowledge('subscribe', at(0));
  await sub.ready;
});

test('another error ends it', async (t) => {
  const { client, peers } = await meet(t);
  const sub = client.subscribe('room:1');
  const ends = heard(sub, 'unsubscribed');
  const peer = await peers.next();
  const { id } = await peer.next('subscribe');
  peer.send({ type: 'error', id, code: 'forbidden', message: 'no', retryable: false });
  await assert.rejects(sub.ready, { code: 'forbidden', retryable: false });
  assert.equal((await ends.next())[1].reason, 'forbidden');
  const next = await cut({ peer, peers });
  const published = client.publish('room:1', 1);
  await next.acknowledge('publish'); // and no subscribe before it
  await published;
});

test('a subscribe without an answer is ended and tried again', async (t) => {
  const { client, peers } = await meet(t, { timeout: 300 });
  const sub = client.subscribe('room:1');
  const peer = await peers.next();
  await peer.next('subscribe');
  await peer.acknowledge('unsubscribe');
  await peer.acknowledge('subscribe', at(0));
  await sub.ready;
});

test('a token of a channel is fetched for it, and again when it has expired', async (t) => {
  let tokens = 0;
  const getToken = async (channel) => `${channel}/${++tokens}`;
  const { asked, events, peer } = await live(t, { getToken });
  assert.equal(asked.token, 'room:1/1');
  peer.send(message(1), { type: 'unsubscribed', channel: 'room:1', reason: 'expired' });
  const { token, since } = await peer.acknowledge('subscribe', { ...at(1), recovered: true });
  assert.deepEqual([token, since], ['room:1/2', at(1)]);
  assert.deepEqual([(await events.next())[0], (await events.next())[0]], ['message', 'subscribed']);
});

test('a token that is refused twice ends it', async (t) => {
  const { client, peers } = await meet(t);
  const sub = client.subscribe('room:1', { getToken: async () => 'T' });
  const peer = await peers.next();
  for (let i = 0; i < 2; i++) {
    const { id } = await peer.next('subscribe');
    peer.send({ type: 'error', id, code: 'forbidden', message: 'no', retryable: false });
  }
  await assert.rejects(sub.ready, { code: 'forbidden' });
});

test('after unsubscribe nothing comes, also after a reconnect', async (t) => {
  const it = await live(t);
  const done = it.sub.unsubscribe();
  await it.peer.acknowledge('unsubscribe');
  await done;
  it.peer.send(message(1));
  const peer = await cut(it);
  const published = it.client.publish('room:1', 1);
  await peer.acknowledge('publish');
  await published;
  assert.equal(it.events.length, 0);
});

test('unsubscribe and subscribe in one turn ends subscribed', async (t) => {
  const { client, peer, sub } = await live(t, {}, { offset: 2 });
  const done = sub.unsubscribe();
  const next = client.subscribe('room:1');
  assert.notEqual(next, sub);
  await peer.acknowledge('unsubscribe');
  peer.send(message(3)); // of the first one
  await peer.acknowledge('subscribe', at(3));
  await Promise.all([done, next.ready]);
  const events = heard(next, 'message');
  peer.send(message(4));
  assert.equal(await data(events), 4);
});

test('a second subscribe replaces the options and keeps the position', async (t) => {
  const { client, events, peer, sub } = await live(t);
  peer.send(message(1));
  await data(events);
  assert.equal(client.subscribe('room:1', { filter: { tag: 'a', eq: '1' } }), sub);
  const { since, filter } = await peer.next('subscribe');
  assert.deepEqual([since, filter], [undefined, { tag: 'a', eq: '1' }]);
  peer.send(message(2)); // it is live all the time
  assert.equal(await data(events), 2);
});

test('channels of $connect are subscriptions too, and what was missed between two connections is a reset', async (t) => {
  const { client, peers } = await meet(t);
  const events = heard(client, 'subscribed', 'message', 'reset');
  let peer = await peers.next();
  peer.send({ type: 'ack', channel: 'room:1', ...at(5) }, message(6));
  assert.deepEqual([(await events.next())[0], (await events.next())[1].data], ['subscribed', 6]);
  peer = await cut({ peer, peers });
  peer.send({ type: 'ack', channel: 'room:1', ...at(8) }, message(9));
  await events.next();
  assert.deepEqual((await events.next())[1].offset, 8);
  assert.equal((await events.next())[1].data, 9);
  assert.equal(peer.frames.length, 0);
});

test('a listener that throws keeps no message from the others', async (t) => {
  const { client, events, peer, sub } = await live(t);
  const thrown = [];
  t.mock.method(globalThis, 'queueMicrotask', (callback) => assert.throws(callback, (e) => !!thrown.push(e.message)));
  sub.on('message', () => {
    throw new Error('mine');
  });
  const all = heard(client, 'message');
  peer.send(message(1));
  assert.equal(await data(all), 1);
  assert.equal(await data(events), 1);
  assert.deepEqual(thrown, ['mine']);
});
