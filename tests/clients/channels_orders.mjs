// What tests/integration/test_js_client.py orders of a client of channels, in Node and in a page:
//
//   {"subscribe": [channel, options]}            reported: {"subscribed": channel, "ack": …}, and its events
//   {"publish": [channel, data, options], "tag"} reported: {"tag": …, "ok": ack}, or {"tag": …, "error": code, "retryable": …}
//   {"history": …}, {"presence": …}, {"ping": []}, {"unsubscribe": [channel]}   the same
//   {"flood": [channel, n]}                      publish 0 … n-1, each after the last one's ack; {"flooded": n}
//   {"close": []}
//
// Events are reported as [type, event].
const EVENTS = ['message', 'presence', 'reset', 'unsubscribed', 'error', 'open', 'close'];

export function drive(client, report) {
  const subscriptions = new Map();
  for (const type of EVENTS) client.on(type, (event) => report([type, event ?? null]));

  return async (order) => {
    const { tag } = order;
    const [name] = Object.keys(order).filter((key) => key !== 'tag');
    const args = order[name];
    try {
      if (name === 'subscribe') {
        const sub = client.subscribe(...args);
        subscriptions.set(args[0], sub);
        report({ subscribed: args[0], ack: await sub.ready });
      } else if (name === 'unsubscribe') {
        await subscriptions.get(args[0]).unsubscribe();
        report({ tag, ok: null });
      } else if (name === 'flood') {
        for (let i = 0; i < args[1]; i++) await persist(client, args[0], i);
        report({ flooded: args[1] });
      } else {
        report({ tag, ok: (await client[name](...args)) ?? null });
      }
    } catch ({ name: kind, code, message, retryable }) {
      report({ tag, error: code ?? kind, message, retryable });
    }
  };
}

// Until it is acknowledged; the key makes it one.
async function persist(client, channel, data) {
  const key = `flood-${channel}-${data}`;
  for (;;)
    try {
      return await client.publish(channel, data, { key });
    } catch (error) {
      if (!error.retryable) throw error;
      await new Promise((done) => setTimeout(done, 50 * Math.random()));
    }
}
