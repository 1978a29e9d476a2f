// One WebSocket, opened again whenever it closes.
import { ChannelError, Emitter } from './emitter.js';

const STEADY_MS = 10000; // longer connections were good ones
const BUSY_MS = 1000; // after 1013

// Emits open, data, error and close.
export class Connection extends Emitter {
  state = 'closed'; // connecting, open, waiting (to connect again)
  #url;
  #options;
  #socket;
  #token;
  #opened; // when, of this socket
  #heard;
  #attempt = 0;
  #timer;
  #online = () => this.state === 'waiting' && this.#connect();

  constructor(url, options) {
    super();
    if (!options.WebSocket) throw new TypeError('There is no WebSocket here: set options.WebSocket');
    this.#options = options;
    this.#url = new URL(url, globalThis.location?.href);
    this.#url.protocol = this.#url.protocol.replace('http', 'ws');
  }

  open() {
    if (this.state !== 'closed') return;
    globalThis.addEventListener?.('online', this.#online);
    this.#connect();
  }

  close(code, reason) {
    if (this.state !== 'closed') this.#lost(code, reason, true);
  }

  send(text) {
    this.#socket.send(text);
  }

  async #connect() {
    const { getToken, tokenQuery, timeout, WebSocket } = this.#options;
    const url = new URL(this.#url);
    const turn = (this.#socket = {}); // until there is one
    let refusal = {};

    clearTimeout(this.#timer);
    this.state = 'connecting';
    this.#opened = 0;
    if (getToken && this.#token === undefined) {
      try {
        const token = await getToken();
        if (this.#socket !== turn) return; // closed meanwhile
        this.#token = token;
      } catch (error) {
        if (this.#socket === turn) this.#failed('token', `getToken: ${error?.message ?? error}`);
        return;
      }
    }
    if (this.#token && tokenQuery) url.searchParams.set(tokenQuery, this.#token);
    const protocols = this.#token && !tokenQuery ? ['bearer', this.#token] : [];
    const socket = (this.#socket = new WebSocket(url.href, protocols));
    const isOurs = () => this.#socket === socket;
    this.#timer = setTimeout(() => this.#failed('timeout', 'It was not opened in time'), timeout);
    socket.onopen = () => isOurs() && this.#open();
    socket.onmessage = ({ data }) => {
      if (!isOurs()) return;
      this.#heard = Date.now();
      this._emit('data', data);
    };
    socket.onerror = () => {}; // a close follows
    socket.onclose = ({ code, reason }) => isOurs() && this.#lost(code, reason, false, refusal);
    // Browsers hide the response to a handshake; npm's ws shows it.
    socket.on?.('unexpected-response', (_, { statusCode, headers }) => {
      refusal = { status: statusCode, after: headers['retry-after'] };
      socket.terminate();
    });
  }

  #failed(code, message) {
    this._emit('error', new ChannelError(code, message, true));
    this.#lost(1006, message);
  }

  #open() {
    clearTimeout(this.#timer);
    this.state = 'open';
    this.#opened = this.#heard = Date.now();
    this.#listen();
    this._emit('open');
  }

  // Is the other end still there?
  #listen(asked) {
    const { ping, timeout, routeKey } = this.#options;
    const now = Date.now();
    const rest = this.#heard + ping - now;

    if (!ping) return;
    if (asked > this.#heard) {
      this.#failed('timeout', 'The server is silent');
    } else if (rest > 0) {
      this.#timer = setTimeout(() => this.#listen(), rest);
    } else {
      this.send(JSON.stringify({ [routeKey]: 'ping' }));
      this.#timer = setTimeout(() => this.#listen(now), timeout);
    }
  }

  // The end of a socket, whoever began it.
  #lost(code, reason, byUser, { status, after } = {}) {
    const socket = this.#socket;
    const final = byUser || this.#options.final.includes(code);
    let delay;

    this.#socket = undefined;
    clearTimeout(this.#timer);
    if (code === 4401 || status === 401 || status === 403 || (!status && !this.#opened)) this.#token = undefined;
    if (final) {
      this.state = 'closed';
      globalThis.removeEventListener?.('online', this.#online);
    } else {
      this.state = 'waiting';
      delay = this.#delay(code, after);
      this.#timer = setTimeout(() => this.#connect(), delay);
    }
    socket?.close?.(...(byUser ? [code, reason] : []));
    this._emit('close', { code, reason: String(reason), status, final, delay });
  }

  // Full jitter, behind what the server asked for.
  #delay(code, after) {
    const { minDelay, maxDelay } = this.#options;
    const hint = after > 0 ? after * 1000 : code === 1013 ? BUSY_MS : 0;
    const floor = Math.min(hint, 300000);
    // 1012: other edges are ready.
    if (code === 1012 || (this.#opened && Date.now() - this.#opened > STEADY_MS)) this.#attempt = 0;
    return floor + Math.random() * Math.min(maxDelay, minDelay * 2 ** this.#attempt++);
  }
}
