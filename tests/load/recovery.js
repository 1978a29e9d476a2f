// Recovery: SUBSCRIBERS of CHANNELS lose their connections again and again while messages are published.
// Each connects again with the position of its last message, and must get all that it missed.
//
//   SUBSCRIBERS  600     CHANNELS  10     RATE  2 a second     SECONDS  20
//
// A subscriber is away for less than 2 s: the history of the channel must have more than 2 * RATE messages.

import { Counter, Rate, Trend } from 'k6/metrics';
import { at, connect, hold, messagesOf, mine, secondsSinceStart, setting, stats } from './common.js';
import { summary } from './summary.js';

const SUBSCRIBERS = setting('SUBSCRIBERS', 600);
const CHANNELS = setting('CHANNELS', 10);
const RATE = setting('RATE', 2);
const SECONDS = setting('SECONDS', 20);
const RUN = `recovery-${__ENV.RUN || '1'}`;

const recovered = new Rate('recovered');
const recoverTime = new Trend('recover_ms', true);
const missed = new Trend('missed_messages');
const wrong = new Counter('offsets_wrong');
const refused = new Counter('actions_refused');
const deliveries = new Counter('deliveries');

export const options = {
  scenarios: {
    subscribe: hold(SUBSCRIBERS, SECONDS + 20, { exec: 'subscribe' }),
    publish: { executor: 'per-vu-iterations', vus: 1, iterations: 1, exec: 'publish', maxDuration: `${SECONDS + 10}s` },
  },
  thresholds: {
    recovered: ['rate==1'],
    offsets_wrong: ['count==0'],
    actions_refused: ['count==0'],
    connects_failed: ['count==0'],
    closed_early: ['count==0'],
    recover_ms: ['p(95)<1000', 'p(99)<3000'],
    deliveries: ['count>0'],
  },
  summaryTrendStats: stats,
};

const channelOf = (number) => `${RUN}-${number % CHANNELS}`;

export function subscribe() {
  for (const number of mine(SUBSCRIBERS)) {
    at((number / SUBSCRIBERS) * 4, () => follow(channelOf(number), null));
  }
}

function follow(channel, position) {
  const began = Date.now();
  let here = position;
  const stay = () => (2 + 2 * Math.random()) * 1000;
  connect({
    open: (c) => {
      c.send({ action: 'subscribe', id: 1, channel, ...(position ? { since: position } : {}) });
      setTimeout(() => c.close(), stay());
    },
    message: (c, text) => {
      for (const frame of messagesOf(text)) {
        if (frame.type === 'ack') {
          if (position) {
            recovered.add(frame.recovered === true);
            recoverTime.add(Date.now() - began);
            missed.add(frame.offset - position.offset);
          } else {
            here = { epoch: frame.epoch, offset: frame.offset };
          }
        } else if (frame.type === 'message') {
          // What was missed comes after the ack, and live messages after that: no hole, none twice.
          if (frame.offset !== here.offset + 1 || frame.epoch !== here.epoch) wrong.add(1);
          here = { epoch: frame.epoch, offset: frame.offset };
          deliveries.add(1);
        } else {
          refused.add(1);
          console.error(text);
        }
      }
    },
    close: () => {
      if (secondsSinceStart() < SECONDS) {
        setTimeout(() => follow(channel, here), (0.2 + 1.5 * Math.random()) * 1000);
      }
    },
  });
}

export function publish() {
  const total = Math.round(RATE * (SECONDS + 3));
  connect({
    open: (c) => {
      for (let channel = 0; channel < CHANNELS; channel++) {
        for (let n = 0; n < total; n++) {
          at((n + channel / CHANNELS) / RATE, () => c.send({ action: 'publish', id: n, channel: channelOf(channel), data: n }));
        }
      }
      at(total / RATE + 1, () => c.close());
    },
    message: (c, text) => {
      for (const frame of messagesOf(text)) {
        if (frame.type !== 'ack') refused.add(1);
      }
    },
  });
}

export const handleSummary = summary(
  'recovery',
  `${SUBSCRIBERS} subscribers of ${CHANNELS} channels connect again every few seconds, and recover; ${RATE} messages a second to each channel.`,
);
