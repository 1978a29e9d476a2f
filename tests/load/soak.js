// Soak: CONNECTIONS do a little of all for a long time: each sends a message every 5 s, publishes to its
// channel every 20 s, and connects again with its position about every minute (three times, if SECONDS are few).
//
//   CONNECTIONS  1000     CHANNELS  100     SECONDS  60

import { Counter, Rate, Trend } from 'k6/metrics';
import { at, connect, hold, messagesOf, mine, secondsSinceStart, setting, stats } from './common.js';
import { summary } from './summary.js';

const CONNECTIONS = setting('CONNECTIONS', 1000);
const CHANNELS = setting('CHANNELS', 100);
const SECONDS = setting('SECONDS', 60);
const STAY = Math.min(60, SECONDS / 3);
const RUN = `soak-${__ENV.RUN || '1'}`;

const recovered = new Rate('recovered');
const wrong = new Counter('offsets_wrong');
const refused = new Counter('actions_refused');
const deliveries = new Counter('deliveries');
const echoTime = new Trend('echo_ms', true);

export const options = {
  scenarios: { soak: hold(CONNECTIONS, SECONDS + 30) },
  thresholds: {
    recovered: ['rate==1'],
    offsets_wrong: ['count==0'],
    actions_refused: ['count==0'],
    connects_failed: ['count==0'],
    closed_early: ['count==0'],
    deliveries: ['count>0'],
    echo_ms: ['p(95)<250', 'p(99)<1000'],
  },
  summaryTrendStats: stats,
};

export default function () {
  for (const number of mine(CONNECTIONS)) {
    at((number / CONNECTIONS) * 10, () => stay(`${RUN}-${number % CHANNELS}`, null));
  }
}

function stay(channel, position) {
  let here = position;
  let timers = [];
  const jitter = (seconds) => seconds * (750 + 500 * Math.random());
  connect({
    open: (c) => {
      c.send({ action: 'subscribe', id: 1, channel, ...(position ? { since: position } : {}) });
      timers = [
        setInterval(() => c.send({ action: 'echo', at: Date.now() }), jitter(5)),
        setInterval(() => c.send({ action: 'publish', id: 2, channel, data: 'x'.repeat(64) }), jitter(20)),
      ];
      setTimeout(() => c.close(), Math.min(jitter(STAY), Math.max(0, SECONDS - secondsSinceStart()) * 1000));
    },
    message: (c, text) => {
      for (const frame of messagesOf(text)) {
        if (frame.action === 'echo') {
          echoTime.add(Date.now() - frame.at);
        } else if (frame.type === 'ack' && frame.id === 1) {
          if (position) recovered.add(frame.recovered === true);
          else here = { epoch: frame.epoch, offset: frame.offset };
        } else if (frame.type === 'message') {
          if (frame.offset !== here.offset + 1 || frame.epoch !== here.epoch) wrong.add(1);
          here = { epoch: frame.epoch, offset: frame.offset };
          deliveries.add(1);
        } else if (frame.type === 'error') {
          refused.add(1);
          console.error(text);
        }
      }
    },
    close: () => {
      timers.forEach(clearInterval);
      if (secondsSinceStart() < SECONDS - 1) setTimeout(() => stay(channel, here), jitter(1));
    },
  });
}

export const handleSummary = summary('soak', `${CONNECTIONS} connections on ${CHANNELS} channels for ${SECONDS} s: echo, publish, connect again.`);
