// Echo: each virtual user opens a WebSocket, sends MESSAGES messages one after the other, checks that
// each comes back as it was, and closes, again and again.
//
//   USERS      200                       how many at the same time
//   MESSAGES   20                        for each connection
//   SECONDS    20                        how long

import { check } from 'k6';
import exec from 'k6/execution';
import { Counter, Rate, Trend } from 'k6/metrics';
import { WebSocket } from 'k6/websockets';
import { setting, stats, url } from './common.js';
import { summary } from './summary.js';

const USERS = setting('USERS', 200);
const MESSAGES = setting('MESSAGES', 20);
const SECONDS = setting('SECONDS', 20);

const echoTime = new Trend('echo_ms', true);
const right = new Rate('replies_right');
const whole = new Rate('conversations_whole');
const errors = new Counter('socket_errors');
const replies = new Counter('replies');

export const options = {
  scenarios: {
    echo: {
      executor: 'constant-vus',
      vus: USERS,
      duration: `${SECONDS}s`,
      gracefulStop: '10s',
    },
  },
  thresholds: {
    socket_errors: ['count==0'],
    replies_right: ['rate==1'],
    conversations_whole: ['rate==1'],
    replies: ['count>0'],
    echo_ms: ['p(95)<250', 'p(99)<1000'],
  },
  summaryTrendStats: stats,
};

function message(n) {
  return JSON.stringify({ action: 'echo', user: exec.vu.idInTest, n, data: 'x'.repeat(64) });
}

export default function () {
  const socket = new WebSocket(url);
  let received = 0;
  let sent = '';
  let sentAt = 0;

  function sendNext() {
    sent = message(received);
    sentAt = Date.now();
    socket.send(sent);
  }

  socket.onopen = sendNext;
  socket.onmessage = (event) => {
    echoTime.add(Date.now() - sentAt);
    right.add(event.data === sent);
    replies.add(1);
    received += 1;
    if (received < MESSAGES) sendNext();
    else socket.close();
  };
  socket.onerror = (event) => {
    errors.add(1);
    console.error(`user ${exec.vu.idInTest}: ${event.error}`);
  };
  socket.onclose = () => {
    whole.add(check(received, { 'all messages came back': (n) => n === MESSAGES }));
  };
}

export const handleSummary = summary('echo', `${USERS} users, each with conversations of ${MESSAGES} messages, for ${SECONDS} s.`);
