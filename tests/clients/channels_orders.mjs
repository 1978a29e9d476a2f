// What tests/integration/test_js_client.py orders of a client of channels, in Node and in a page. A
// program gets {"url": …, "options": …, "tokens": […]}, and reports {"ready": true}. getToken returns
// one token after the other, the last one again and again; it waits while there is none. The orders:
//
//   {"tokens": […]}                              more of them
//   {"subscribe": [channel, options]}            reported: {"subscribed": channel, "ack": …}
//   {"publish": [channel, data, options], "tag"} reported: {"tag": …, "ok": ack}, or {"tag": …, "error": code, "retryable": …}
//   {"history": …}, {"presence": …}, {"ping": []}, {"unsubscribe": [channel]}   the same
//   {"flood": [channel, n]}                      publish 0 … n-1, each after the last one's ack; {"flooded": n}
//   {"stop": []}                                 end a flood before its n-th
//   {"close": []}
//
// Events are reported as [type, event].
const PAUSE_MS = 5; // between two messages of a flood
const EVENTS = ['message', 'presence', 'reset', 'unsubscribed', 'error', 'open', 'close'];

export function drive(Client, text, report, more = {}) {
  const { url, options, tokens } = JSON.parse(text);
  let wake;
  const getToken = async () => {
    if (!tokens.length) await new Promise((done) => (wake = done));
    return tokens.length > 1 ? tokens.shift() : tokens[0];
  };
  const client = new Client(url, { maxDelay: 2000, getToken: tokens && getToken, ...options, ...more });
  const subscriptions = new Map();
  let isStopped = false;
  for (const type of EVENTS) client.on(type, (event) => report([type, event ?? null]));

  const obey = async (order) => {
    const { tag } = order;
    const [name] = Object.keys(order).filter((key) => key !== 'tag');
    const args = order[name];
    try {
      if (name === 'subscribe') {
        const sub = client.subscribe(...args);
        subscriptions.set(args[0], sub);
        const ack = await sub.ready.catch(({ code }) => ({ error: code }));
        report({ subscribed: args[0], ack });
      } else if (name === 'unsubscribe') {
        await subscriptions.get(args[0]).unsubscribe();
        report({ tag, ok: null });
      } else if (name === 'flood') {
        let i = 0;
        for (; i < args[1] && !isStopped; i++) {
          await persist(client, args[0], i);
          await pause(PAUSE_MS);
        }
        report({ flooded: i });
      } else if (name === 'tokens') {
        tokens.push(...args);
        wake?.();
      } else if (name === 'stop') {
        isStopped = true;
      } else {
        report({ tag, ok: (await client[name](...args)) ?? null });
      }
    } catch ({ name: kind, code, message, retryable }) {
      report({ tag, error: code ?? kind, message, retryable });
    }
  };
  report({ ready: true });
  return { client, obey };
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// Until it is acknowledged; the key makes it one.
async function persist(client, channel, data) {
  const key = `flood-${channel}-${data}`;
  for (;;)
    try {
      return await client.publish(channel, data, { key });
    } catch (error) {
      if (!error.retryable) throw error;
      await pause(50 * Math.random());
    }
}
