// Drain under load: CONNECTIONS send a message every 2 s while somebody drains an edge. Each client that is
// closed with 1012 or 1001 connects again after a random part of a second.
//
//   CONNECTIONS  2000     SECONDS  40
//
// `./dev load drain` sends SIGTERM to an edge after 12 s. In Kubernetes: kubectl rollout restart.

import { Counter, Rate, Trend } from 'k6/metrics';
import { at, connect, hold, mine, secondsSinceStart, setting, stats } from './common.js';
import { summary } from './summary.js';

const CONNECTIONS = setting('CONNECTIONS', 2000);
const SECONDS = setting('SECONDS', 40);
const EVERY = 2000;

const moved = new Counter('moved');
const backTime = new Trend('back_ms', true);
const attempts = new Counter('attempts_repeated');
const replies = new Counter('replies');
const echoTime = new Trend('echo_ms', true);
const openAtEnd = new Rate('open_at_end');

export const options = {
  scenarios: { drain: hold(CONNECTIONS, SECONDS + 20) },
  thresholds: {
    moved: ['count>0'],
    closed_early: ['count==0'],
    open_at_end: ['rate==1'],
    back_ms: ['p(95)<4000', 'p(99)<8000'],
    echo_ms: ['p(95)<1000', 'p(99)<3000'],
  },
  summaryTrendStats: stats,
};

export default function () {
  for (const number of mine(CONNECTIONS)) {
    const client = {};
    at((number / CONNECTIONS) * 5, () => stay(client, null));
    at(SECONDS, () => {
      openAtEnd.add(client.connection.isOpen);
      client.connection.close();
    });
  }
}

function stay(client, closedAt) {
  let timer = null;
  let wasOpen = false;
  client.connection = connect({
    expected: [1001, 1012],
    open: (c) => {
      wasOpen = true;
      if (closedAt) backTime.add(Date.now() - closedAt);
      timer = setInterval(() => c.send({ action: 'echo', at: Date.now() }), EVERY);
    },
    message: (c, text) => {
      replies.add(1);
      echoTime.add(Date.now() - JSON.parse(text).at);
    },
    close: (code, byUs) => {
      clearInterval(timer);
      if (byUs || secondsSinceStart() >= SECONDS) return;
      if (wasOpen) moved.add(1);
      else attempts.add(1); // 503 from an edge that drains, or a reset
      const since = wasOpen ? Date.now() : closedAt;
      setTimeout(() => stay(client, since), Math.random() * 1000);
    },
  });
}

export const handleSummary = summary('drain', `${CONNECTIONS} connections with a message every 2 s, while an edge is drained.`);
