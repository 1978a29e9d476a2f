// Fan-out: SUBSCRIBERS on CHANNELS; RATE messages a second are published to each channel.
//
//   SUBSCRIBERS  2000     CHANNELS  20     RATE  2 a second     SECONDS  15
//
// A subscriber checks that it has each message of its channel from its subscription on to the last one,
// once and in order.

import { Counter, Rate, Trend } from 'k6/metrics';
import { at, connect, hold, messagesOf, mine, setting, socketsPerUser, stats } from './common.js';
import { summary } from './summary.js';

const SUBSCRIBERS = setting('SUBSCRIBERS', 2000);
const CHANNELS = setting('CHANNELS', 20);
const RATE = setting('RATE', 2);
const SECONDS = setting('SECONDS', 15);
const RAMP = 2 + SUBSCRIBERS / 400;
const RUN = `fanout-${__ENV.RUN || '1'}`;

const deliveryTime = new Trend('delivery_ms', true);
const deliveries = new Counter('deliveries');
const published = new Counter('published');
const subscribed = new Counter('subscribed');
const refused = new Counter('actions_refused');
const complete = new Rate('subscribers_complete');

export const options = {
  scenarios: {
    subscribe: hold(SUBSCRIBERS, RAMP + SECONDS + 25, { exec: 'subscribe' }),
    publish: { executor: 'per-vu-iterations', vus: 1, iterations: 1, startTime: `${RAMP + 2}s`, exec: 'publish', maxDuration: `${SECONDS + 20}s` },
  },
  thresholds: {
    subscribed: [`count==${SUBSCRIBERS}`],
    subscribers_complete: ['rate==1'],
    actions_refused: ['count==0'],
    connects_failed: ['count==0'],
    closed_early: ['count==0'],
    delivery_ms: ['p(95)<250', 'p(99)<1000'],
  },
  summaryTrendStats: stats,
};

const channelOf = (number) => `${RUN}-${number % CHANNELS}`;

export function subscribe() {
  for (const number of mine(SUBSCRIBERS)) {
    at((number / SUBSCRIBERS) * RAMP, () => follow(channelOf(number)));
  }
}

function follow(channel) {
  let offset = null; // of the last message, or of the subscription
  let whole = true;
  let isLast = false;
  connect({
    open: (c) => c.send({ action: 'subscribe', id: 1, channel }),
    message: (c, text) => {
      for (const frame of messagesOf(text)) {
        if (frame.type === 'ack') {
          offset = frame.offset;
          subscribed.add(1);
        } else if (frame.type === 'message') {
          whole = whole && frame.offset === offset + 1;
          offset = frame.offset;
          deliveries.add(1);
          deliveryTime.add(Date.now() - frame.data.at);
          if (frame.data.last) {
            isLast = true;
            c.close();
          }
        } else {
          refused.add(1);
          console.error(text);
        }
      }
    },
    close: () => complete.add(whole && isLast),
  });
}

export function publish() {
  const total = Math.round(RATE * SECONDS);
  let pending = 0;
  connect({
    open: (c) => {
      for (let channel = 0; channel < CHANNELS; channel++) {
        for (let n = 0; n < total; n++) {
          // The channels take turns, so that the load is even.
          at((n + channel / CHANNELS) / RATE, () => {
            pending += 1;
            c.send({ action: 'publish', id: n, channel: channelOf(channel), data: { at: Date.now(), last: n === total - 1, text: 'x'.repeat(64) } });
          });
        }
      }
      at(total / RATE + 1, function end() {
        if (pending > 0) setTimeout(end, 100);
        else c.close();
      });
    },
    message: (c, text) => {
      for (const frame of messagesOf(text)) {
        pending -= 1;
        if (frame.type === 'ack') published.add(1);
        else refused.add(1);
      }
    },
  });
}

export const handleSummary = summary(
  'fanout',
  `${SUBSCRIBERS} subscribers (${socketsPerUser} for each virtual user) on ${CHANNELS} channels; ${RATE} messages a second to each channel for ${SECONDS} s.`,
);
