// Reconnect storm: CONNECTIONS are open, all of them are cut at the same moment, and all connect again at
// once, without a pause. ROUNDS times.
//
//   CONNECTIONS  2000     ROUNDS  3

import { Counter, Trend } from 'k6/metrics';
import { at, connect, hold, mine, setting, stats } from './common.js';
import { summary } from './summary.js';

const CONNECTIONS = setting('CONNECTIONS', 2000);
const ROUNDS = setting('ROUNDS', 3);
const RAMP = 5;
const ROUND = setting('ROUND', 15);
const END = RAMP + ROUND * ROUNDS;

const backTime = new Trend('back_ms', true);
const back = new Counter('back');
const attempts = new Counter('attempts_repeated');

export const options = {
  scenarios: { storm: hold(CONNECTIONS, END + 30) },
  thresholds: {
    back: [`count==${CONNECTIONS * ROUNDS}`],
    closed_early: ['count==0'],
    back_ms: ['p(95)<8000', 'p(99)<10000'],
  },
  summaryTrendStats: stats,
};

export default function () {
  for (const number of mine(CONNECTIONS)) {
    at((number / CONNECTIONS) * (RAMP - 2), () => stay(0, null));
  }
}

// In round 0 the connections open one after the other; at the start of each round all are cut.
function stay(round, cutAt) {
  let wasOpen = false;
  connect({
    open: (c) => {
      wasOpen = true;
      if (cutAt) {
        back.add(1);
        backTime.add(Date.now() - cutAt);
      }
      at(RAMP + round * ROUND, () => c.close());
    },
    close: () => {
      if (!wasOpen) {
        // Refused: the pause grows with the time that has passed, as in any client.
        attempts.add(1);
        setTimeout(() => stay(round, cutAt), 250 + Math.random() * 500);
      } else if (round < ROUNDS) {
        stay(round + 1, Date.now());
      }
    },
  });
}

export const handleSummary = summary('storm', `${CONNECTIONS} connections are cut at once and connect again at once, ${ROUNDS} times.`);
