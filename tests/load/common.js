// What the load tests share: settings from the environment, and a connection that counts what happens to it.
//
//   WEBSOCKET    ws://127.0.0.1:8080/dev   where to connect
//   SOCKETS      100                       connections of one virtual user

import exec from 'k6/execution';
import { Counter, Trend } from 'k6/metrics';
import { WebSocket } from 'k6/websockets';

export const url = __ENV.WEBSOCKET || 'ws://127.0.0.1:8080/dev';
export const stats = ['min', 'avg', 'med', 'p(95)', 'p(99)', 'max', 'count'];

export function setting(name, otherwise) {
  return Number(__ENV[name] || otherwise);
}

export const socketsPerUser = setting('SOCKETS', 100);

const OPEN = 1;

const connectTime = new Trend('connect_ms', true);
const opened = new Counter('opened');
const failed = new Counter('connects_failed');
const closed = new Counter('closed');
const closedEarly = new Counter('closed_early');

// One iteration for each virtual user, since a socket cannot outlive the iteration that opened it.
export function hold(connections, seconds, more) {
  return {
    executor: 'per-vu-iterations',
    vus: Math.ceil(connections / socketsPerUser),
    iterations: 1,
    maxDuration: `${seconds}s`,
    gracefulStop: '5s',
    ...more,
  };
}

// The connections of this virtual user, as numbers of 0 to `connections`.
export function mine(connections) {
  const first = (exec.scenario.iterationInTest % Math.ceil(connections / socketsPerUser)) * socketsPerUser;
  const count = Math.max(0, Math.min(socketsPerUser, connections - first));
  return Array.from({ length: count }, (_, i) => first + i);
}

export function secondsSinceStart() {
  return (Date.now() - exec.scenario.startTime) / 1000;
}

// Calls `work` when the scenario is `seconds` old; at once if it is older.
export function at(seconds, work) {
  setTimeout(work, Math.max(0, (seconds - secondsSinceStart()) * 1000));
}

// Connect, and call on.open(), on.message(object or text), on.close(code, was it we who closed).
export function connect(on) {
  const began = Date.now();
  const socket = new WebSocket(url);
  const connection = {
    isOpen: false,
    // A timer may want to send when the close has begun.
    send(message) {
      if (socket.readyState === OPEN) socket.send(JSON.stringify(message));
    },
    close() {
      connection.closing = true;
      socket.close();
    },
  };
  socket.onopen = () => {
    connection.isOpen = true;
    connectTime.add(Date.now() - began);
    opened.add(1);
    if (on.open) on.open(connection);
  };
  socket.onmessage = (event) => {
    if (on.message) on.message(connection, event.data);
  };
  socket.onerror = (event) => {
    // The end of an open connection without a close frame is counted below.
    if (!connection.isOpen) {
      failed.add(1);
      console.error(`connect: ${event.error}`);
    }
  };
  socket.onclose = (event) => {
    const wasOpen = connection.isOpen;
    connection.isOpen = false;
    if (wasOpen) closed.add(1, { code: String(event.code) });
    if (wasOpen && !connection.closing && !(on.expected || []).includes(event.code)) {
      closedEarly.add(1, { code: String(event.code) });
      console.error(`closed with ${event.code} ${event.reason || ''}`);
    }
    if (on.close) on.close(event.code, Boolean(connection.closing));
  };
  return connection;
}

// A message of a channel arrives alone, or in an array with others.
export function messagesOf(text) {
  const value = JSON.parse(text);
  return Array.isArray(value) ? value : [value];
}
