// Connect ramp: CONNECTIONS open at RATE a second, stay open for HOLD seconds, and close.
//
//   CONNECTIONS  3000     RATE  300 a second     HOLD  10 seconds

import { at, connect, hold, mine, setting, stats } from './common.js';
import { summary } from './summary.js';

const CONNECTIONS = setting('CONNECTIONS', 3000);
const RATE = setting('RATE', 300);
const HOLD = setting('HOLD', 10);
const END = CONNECTIONS / RATE + HOLD;

export const options = {
  scenarios: { connect: hold(CONNECTIONS, END + 20) },
  thresholds: {
    opened: [`count==${CONNECTIONS}`],
    connects_failed: ['count==0'],
    closed_early: ['count==0'],
    connect_ms: ['p(95)<500', 'p(99)<2000'],
  },
  summaryTrendStats: stats,
};

export default function () {
  // The order is that of all virtual users together: each opens one connection in turn.
  const numbers = mine(CONNECTIONS);
  const users = CONNECTIONS / numbers.length;
  numbers.forEach((number, i) => {
    const turn = i * users + number / numbers.length;
    at(turn / RATE, () => {
      const connection = connect({});
      at(END, () => connection.close());
    });
  });
}

export const handleSummary = summary('connect', `${CONNECTIONS} connections at ${RATE} a second, held for ${HOLD} s.`);
