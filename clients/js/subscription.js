import { Emitter } from './emitter.js';

export const same = (a, b) => a?.epoch === b?.epoch && a?.offset === b?.offset;
export const place = ({ epoch, offset }) => (epoch === undefined ? undefined : { epoch, offset });

// What begins with _ belongs to the client.
export class Subscription extends Emitter {
  position; // of what was delivered last; none without history
  _options;
  _live = false; // acknowledged on this socket
  _round = 0; // answers of earlier ones are void
  _attempt = 0;
  #isFirst; // nothing has come since the ack
  #isCache;
  #gap; // the position behind which something was missing

  constructor(client, channel) {
    super();
    this.channel = channel;
    this._client = client;
    this.ready = new Promise((done, failed) => Object.assign(this, { _done: done, _failed: failed }));
    this.ready.catch(() => {}); // the event `unsubscribed` says it too
  }

  unsubscribe() {
    return this._client._unsubscribe(this);
  }

  _set(options, isServers) {
    this._options = options;
    this._isServers = isServers; // $connect made it
    this.#isCache = options.recover === 'cache';
    this.position ??= options.since;
  }

  _since() {
    return this._live || this.#isCache ? undefined : this.position;
  }

  // It is live. Returns why its position had to jump, if it had.
  _accept(ack, since) {
    const top = place(ack);
    const before = this.position;
    const isKnown = before?.epoch === top?.epoch;
    const wasLive = this._live;

    this._live = true;
    this._attempt = 0;
    this._alone = this._renewed = false;
    if (!top) return;
    if (this.#isCache) {
      this.position = isKnown ? before : { epoch: top.epoch, offset: 0 }; // the latest one follows
    } else if (wasLive && isKnown) {
      if (top.offset > before.offset) this.position = top;
    } else if (!since || !ack.recovered) {
      this.position = top;
      this.#isFirst = true;
      if (since && !same(since, top)) return isKnown ? 'trimmed' : 'epoch';
    } // else what was missed follows
  }

  // A message with an offset: is it new? `gap`: what is before it has not come.
  _place(at) {
    const { epoch, offset } = this.position ?? {};
    const isKnown = at.epoch === epoch;
    const isCached = this.#isFirst && isKnown && at.offset === offset;

    if (isKnown && at.offset <= offset && !isCached) return 'copy';
    this.#isFirst = false;
    this.#isCache ||= isCached; // the namespace's default
    const mayJump = this.#isCache || this._options.filter || !epoch;
    if (!mayJump && !(isKnown && at.offset === offset + 1)) {
      if (!this._isServers && this.#gap !== this.position) {
        this.#gap = this.position;
        return 'gap';
      }
      this.position = at;
      return 'lost'; // it stays
    }
    this.position = at;
    return 'new';
  }
}
