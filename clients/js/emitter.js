/** Why something failed. */
export class ChannelError extends Error {
  constructor(code, message, retryable = false) {
    super(message);
    this.name = 'ChannelError';
    this.code = code;
    this.retryable = retryable;
  }
}

export class Emitter {
  #listeners = {};

  on(type, listener) {
    const all = (this.#listeners[type] ??= new Set()).add(listener);
    return () => void all.delete(listener);
  }

  // A listener that throws does not keep the others from the event.
  _emit(type, event) {
    for (const listener of [...(this.#listeners[type] ?? [])])
      try {
        listener(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
  }
}
