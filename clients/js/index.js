// The client of Gatepost's channels; index.d.ts documents it.
import { Connection } from './connection.js';
import { ChannelError, Emitter } from './emitter.js';
import { Subscription, place, same } from './subscription.js';

export { ChannelError };

const ACTIONS_MOST = 100; // of one frame
const FRAME_MOST = 32768; // characters of it
const TYPES = ['ack', 'error', 'message', 'presence', 'reset', 'unsubscribed'];
const DEFAULTS = {
  routeKey: 'action',
  queue: 100,
  timeout: 10000,
  ping: 25000,
  minDelay: 500,
  maxDelay: 30000,
  final: [1000, 4403],
  WebSocket: globalThis.WebSocket,
};

const random = () => Math.random().toString(36).slice(2);

export class Client extends Emitter {
  #options;
  #connection;
  #subscriptions = new Map();
  #wanted = new Set(); // subscriptions to be sent
  #single = false; // the server takes no arrays
  #sent = new Map(); // id: operation without its answer
  #queue = [];
  #ids = 0;
  #keys = random() + random();

  constructor(url, options = {}) {
    super();
    this.#options = { ...DEFAULTS, ...options };
    const connection = (this.#connection = new Connection(url, this.#options));
    connection.on('open', () => this.#open());
    connection.on('data', (data) => this.#receive(data));
    connection.on('error', (error) => this._emit('error', error));
    connection.on('close', (event) => this.#closed(event));
    this.connect();
  }

  get state() {
    return this.#connection.state;
  }

  connect() {
    this.#connection.open();
  }

  close(code = 1000, reason = '') {
    this.#connection.close(code, reason);
  }

  #open() {
    for (const sub of this.#subscriptions.values()) if (!sub._isServers) this.#want(sub);
    this.#flush();
    for (const operation of this.#queue.splice(0)) this.#send([operation]);
    this._emit('open');
  }

  #closed(event) {
    const { code, final } = event;
    const error = new ChannelError(final ? 'closed' : 'connection_lost', `The connection was closed: ${code}`, !final);
    const again = [];

    for (const sub of this.#subscriptions.values()) this.#forget(sub);
    this.#wanted.clear();
    for (const operation of this.#sent.values()) {
      clearTimeout(operation.timer);
      if (!final && operation.tries > 0) again.push(operation);
      else operation.cut(error);
    }
    this.#sent.clear();
    this.#queue.unshift(...again);
    if (final) for (const operation of this.#queue.splice(0)) operation.cut(error);
    this._emit('close', event);
  }

  // ---- operations

  publish(channel, data, { key = this.#keys + ++this.#ids, tags, version, receipt, token } = {}) {
    return this.#ask('publish', { channel, data, key: key ?? undefined, tags, version, receipt, token }, key === null ? 1 : 2);
  }

  history(channel, { limit, since, until, reverse } = {}) {
    return this.#ask('history', { channel, limit, since, until, reverse });
  }

  presence(channel, { limit, cursor } = {}) {
    return this.#ask('presence', { channel, limit, cursor });
  }

  ping() {
    return this.#ask('ping', {});
  }

  // tries: how often it may be sent.
  async #ask(action, fields, tries = 2) {
    const operation = this.#operation(action, fields, tries);
    try {
      return await new Promise((done, cut) => {
        Object.assign(operation, { done, cut, failed: cut });
        if (this.state === 'open') this.#send([operation]);
        else if (this.state === 'closed') cut(new ChannelError('closed', 'The client is closed'));
        else if (this.#queue.length < this.#options.queue) this.#queue.push(operation);
        else cut(new ChannelError('offline_queue_full', 'Too many operations wait', true));
      });
    } catch (error) {
      throw Object.assign(error, { channel: fields.channel, key: fields.key });
    }
  }

  // It ends with done(ack), failed(error), or cut(error) when the connection was closed.
  #operation(action, fields, tries = 1) {
    const id = ++this.#ids;
    return { id, tries, text: JSON.stringify({ [this.#options.routeKey]: action, id, ...fields }) };
  }

  #send(operations) {
    for (const operation of operations) {
      operation.tries--;
      operation.isShared = operations.length > 1;
      this.#sent.set(operation.id, operation);
      operation.timer = setTimeout(() => {
        this.#sent.delete(operation.id);
        operation.failed(new ChannelError('timeout', 'There was no answer in time', true));
      }, this.#options.timeout);
    }
    const texts = operations.map(({ text }) => text);
    this.#connection.send(texts.length > 1 ? `[${texts}]` : texts[0]);
  }

  // ---- subscriptions

  subscribe(channel, options = {}) {
    const sub = this.#subscription(channel);
    sub._set(options, false);
    this.#want(sub);
    return sub;
  }

  #subscription(channel) {
    const sub = this.#subscriptions.get(channel) ?? new Subscription(this, channel);
    this.#subscriptions.set(channel, sub);
    return sub;
  }

  async _unsubscribe(sub) {
    if (this.#subscriptions.get(sub.channel) !== sub) return;
    this.#remove(sub, new ChannelError('closed', 'It was unsubscribed'));
    if (this.state === 'open') await this.#leave(sub);
  }

  #leave({ channel }) {
    const operation = this.#operation('unsubscribe', { channel });
    return new Promise((done, failed) => this.#send([Object.assign(operation, { done, failed, cut: done })]));
  }

  #forget(sub) {
    clearTimeout(sub._timer);
    sub._live = false;
    sub._round++;
  }

  #remove(sub, error) {
    this.#forget(sub);
    this.#wanted.delete(sub);
    this.#subscriptions.delete(sub.channel);
    sub._failed(error);
  }

  // Those of one turn share a frame.
  #want(sub) {
    if (this.state !== 'open' || this.#subscriptions.get(sub.channel) !== sub) return;
    if (sub._options.getToken && sub._token === undefined) {
      if (!sub._refreshing) this.#refresh(sub);
      return;
    }
    if (this.#wanted.size === 0) queueMicrotask(() => this.#flush());
    this.#wanted.add(sub);
  }

  async #refresh(sub) {
    sub._refreshing = true;
    try {
      sub._token = (await sub._options.getToken(sub.channel)) ?? null;
      sub._refreshing = false;
      this.#want(sub);
    } catch (error) {
      sub._refreshing = false;
      this.#later(sub, new ChannelError('token', `getToken: ${error?.message ?? error}`, true));
    }
  }

  #later(sub, error) {
    const { minDelay, maxDelay } = this.#options;
    const delay = Math.random() * Math.min(maxDelay, minDelay * 2 ** sub._attempt++);
    clearTimeout(sub._timer);
    sub._timer = setTimeout(() => this.#want(sub), delay);
    this.#tell(sub, 'error', Object.assign(error, { channel: sub.channel }));
  }

  #flush() {
    let frame = [];
    let length = 0;
    const send = () => {
      if (frame.length) this.#send(frame);
      frame = [];
      length = 0;
    };

    for (const sub of this.state === 'open' ? this.#wanted : []) {
      const operation = this.#subscribing(sub);
      const size = operation.text.length;
      if (sub._alone || this.#single) {
        this.#send([operation]);
        continue;
      }
      if (frame.length === ACTIONS_MOST || length + size > FRAME_MOST) send();
      frame.push(operation);
      length += size;
    }
    send();
    this.#wanted.clear();
  }

  #subscribing(sub) {
    const { filter, recover, presence, batch, token } = sub._options;
    const { channel, _round: round } = sub;
    const since = sub._since();
    const fields = { channel, since, filter, recover, presence, batch, token: sub._token ?? token };
    const operation = this.#operation('subscribe', fields);
    return Object.assign(operation, {
      done: (ack) => round === sub._round && this.#subscribed(sub, ack, since),
      failed: (error) => round === sub._round && this.#refused(sub, error, operation.isShared),
      cut() {},
    });
  }

  #subscribed(sub, ack, since) {
    const jump = sub._accept(ack, since);

    sub._done(ack);
    this.#tell(sub, 'subscribed', ack);
    if (jump) this.#reset(sub, ack, jump);
  }

  #refused(sub, error, isShared) {
    const { channel, _options: options } = sub;

    if (error.code === 'limit' && error.retryable && isShared) {
      sub._alone = true;
      this.#want(sub);
    } else if (error.code === 'forbidden' && options.getToken && !sub._renewed) {
      this.#renew(sub);
    } else if (error.code === 'timeout') {
      this.#leave(sub).catch(() => {}); // it may have been accepted
      this.#forget(sub);
      this.#later(sub, error);
    } else if (error.retryable) {
      this.#later(sub, error);
    } else {
      this.#remove(sub, error);
      this.#tell(sub, 'unsubscribed', { type: 'unsubscribed', channel, reason: error.code, error });
    }
  }

  #renew(sub) {
    sub._token = undefined;
    sub._renewed = true; // until one has worked
    this.#want(sub);
  }

  // End it, and subscribe from its position.
  #again(sub) {
    this.#forget(sub);
    this.#leave(sub).catch(() => {});
    this.#want(sub);
  }

  #reset(sub, { epoch, offset }, reason) {
    this.#tell(sub, 'reset', { type: 'reset', channel: sub.channel, epoch, offset, recovered: false, reason });
  }

  #tell(sub, type, event) {
    sub._emit(type, event);
    this._emit(type, event);
  }

  // ---- what the server sends

  #receive(data) {
    let frames = [];

    try {
      frames = [JSON.parse(data)].flat();
    } catch {} // not of channels
    if (!frames.length || !frames.every((frame) => TYPES.includes(frame?.type))) this._emit('frame', data);
    else for (const frame of frames) if (this.state === 'open') this[`_${frame.type}`](frame);
  }

  #answered(id) {
    const operation = this.#sent.get(id);
    this.#sent.delete(id);
    clearTimeout(operation?.timer);
    return operation;
  }

  _ack(ack) {
    if (ack.id !== undefined) this.#answered(ack.id)?.done(ack);
    else if (ack.channel !== undefined) this.#joined(ack);
  }

  // $connect has subscribed us.
  #joined(ack) {
    const sub = this.#subscription(ack.channel);

    if (!sub._options) sub._set({}, true);
    if (!sub._isServers && sub.position && !same(sub.position, ack)) this.#again(sub);
    else if (!sub._live) this.#subscribed(sub, ack, sub.position);
  }

  _error({ id, code, message, retryable }) {
    const error = new ChannelError(code, message, retryable);
    const shared = [...this.#sent.values()].filter(({ isShared }) => isShared);

    if (id !== undefined) {
      this.#answered(id)?.failed(error);
    } else if (code === 'bad_request' && shared.length) {
      // Some of their routes are functions'.
      this.#single = true;
      for (const operation of shared) this.#send([this.#answered(operation.id)]);
    } else {
      this._emit('error', error);
    }
  }

  _message(message) {
    const { epoch, offset, channel } = message;
    const sub = this.#subscriptions.get(channel);
    if (!sub?._live) return;
    const which = offset === undefined ? 'new' : sub._place({ epoch, offset });

    if (which === 'gap') this.#again(sub);
    if (which === 'lost') this.#reset(sub, { epoch, offset: offset - 1 }, which);
    if (which === 'new' || which === 'lost') this.#tell(sub, 'message', message);
  }

  _presence(frame) {
    const sub = this.#subscriptions.get(frame.channel);
    if (sub?._live) this.#tell(sub, 'presence', frame);
  }

  _reset(frame) {
    const sub = this.#subscriptions.get(frame.channel);
    if (!sub?._live) return;
    sub.position = place(frame);
    this.#tell(sub, 'reset', frame);
  }

  _unsubscribed(frame) {
    const sub = this.#subscriptions.get(frame.channel);
    if (!sub) return;
    this.#forget(sub);
    if (frame.reason === 'expired' && sub._options.getToken) {
      this.#renew(sub);
      return;
    }
    this.#remove(sub, new ChannelError(frame.reason, 'The server has unsubscribed it'));
    this.#tell(sub, 'unsubscribed', frame);
  }
}
