// A WebSocket server that does what a test says.
import { createRequire } from 'node:module';
import { Client } from '../index.js';

const { WebSocket, WebSocketServer } = createRequire(import.meta.url)('ws'); // by NODE_PATH, too

export const PATIENCE_MS = 20000;

/** A queue whose next() waits until something comes. */
export class Queue {
  #items = [];
  #waiting = [];

  push(item) {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(item);
    else this.#items.push(item);
  }

  get length() {
    return this.#items.length;
  }

  next(what = 'an event') {
    if (this.#items.length) return Promise.resolve(this.#items.shift());
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${what} came within ${PATIENCE_MS} ms`)), PATIENCE_MS);
      this.#waiting.push((item) => {
        clearTimeout(timer);
        resolve(item);
      });
    });
  }
}

/** One connection, as the server has it. */
class Peer {
  frames = new Queue(); // what the client has sent

  constructor(socket, request) {
    this.socket = socket;
    this.request = request;
    socket.on('message', (text) => this.frames.push(JSON.parse(text)));
    this.closed = new Promise((resolve) => socket.on('close', resolve));
  }

  send(...frames) {
    for (const frame of frames) this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** The next frame, which has to be one action of this name. */
  async next(action) {
    const frame = await this.frames.next(action);
    if (frame.action !== action) throw new Error(`${action} was expected, not ${JSON.stringify(frame)}`);
    return frame;
  }

  /** Take the next action, and acknowledge it. */
  async acknowledge(action, ack = {}) {
    const frame = await this.next(action);
    this.send({ type: 'ack', id: frame.id, ...ack });
    return frame;
  }
}

/** A server and a client of it; `t` is the test that they end with. */
export async function meet(t, options = {}, { refuse } = {}) {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    verifyClient: refuse && ((info, done) => done(...refuse(info))),
  });
  const peers = new Queue();
  server.on('connection', (socket, request) => peers.push(new Peer(socket, request)));
  await new Promise((resolve) => server.on('listening', resolve));
  const url = `ws://127.0.0.1:${server.address().port}/dev`;
  const client = new Client(url, { WebSocket, minDelay: 1, maxDelay: 20, ping: 0, ...options });
  t.after(() => {
    client.close();
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return { client, peers, server, url };
}

/** What an emitter emits from now on. */
export function heard(emitter, ...types) {
  const queue = new Queue();
  for (const type of types) emitter.on(type, (event) => queue.push([type, event]));
  return queue;
}

export const at = (offset, epoch = 'e1') => ({ epoch, offset });
export const message = (offset, more = {}) => ({ type: 'message', channel: 'room:1', ...at(offset), data: offset, ...more });
