// Messages on their way. Each has a tempId, made here, which the server uses as dedup key: so a message
// whose fate is unknown is simply sent again, by hand or by itself, and is never there twice.
//
// Those of one room go out one after the other, each when the one before it is answered: that is what keeps
// them in the order in which they were written, whatever is lost and sent again.

const RETRY_AFTER = 2000;

/** Tells whether sending the same again may help. Codes below 100 are the client's own: time-out, connection lost. */
function isTemporary(error) {
  const code = error?.code ?? 0;
  return error?.temporary === true || code < 100 || [100, 111, 429, 503].includes(code);
}

export class Outbox {
  #client;
  #changed;
  #trouble;
  #key; // where they are kept, so that a reload or a new sign-in loses none
  #messages = new Map(); // by tempId, in the order of sending

  /**
   * @param client the centrifuge client
   * @param user whose messages these are
   * @param changed called with each message whose state changed
   * @param trouble called with whether the server answers that it cannot take messages now
   */
  constructor(client, user, changed, trouble) {
    this.#client = client;
    this.#key = `fanfare-demo-outbox-${user}`;
    this.#changed = changed;
    this.#trouble = trouble;
    for (const message of JSON.parse(sessionStorage.getItem(this.#key) ?? '[]')) {
      this.#messages.set(message.tempId, { ...message, state: 'waiting', offset: 0, inFlight: false });
    }
  }

  /** Takes a message and sends it as soon as it can be. */
  send(room, text) {
    const message = { tempId: crypto.randomUUID(), room, text, at: Date.now(), state: 'sending', offset: 0, inFlight: false };
    this.#messages.set(message.tempId, message);
    this.#save();
    this.#move(message, this.#client.state === 'connected' ? 'sending' : 'waiting');
    this.#sendNext(room);
    return message;
  }

  /** Sends everything again whose fate is unknown. Call it when the connection is back. */
  flush() {
    for (const room of new Set([...this.#messages.values()].map((message) => message.room))) {
      this.#sendNext(room);
    }
  }

  /** Sends a message again that was refused, or all of its room if it only waits. */
  retry(tempId) {
    const message = this.#messages.get(tempId);
    if (message) {
      if (message.state === 'failed') {
        this.#move(message, 'waiting');
      }
      this.#sendNext(message.room);
    }
  }

  /** Forgets a message: it came back in the channel, or its author gave it up. */
  take(tempId) {
    const message = this.#messages.get(tempId);
    if (this.#messages.delete(tempId)) {
      this.#save();
      this.#sendNext(message.room);
    }
    return message;
  }

  of(room) {
    return [...this.#messages.values()].filter((message) => message.room === room);
  }

  /** Sends the oldest message of the room that is not there yet, unless it is under way. */
  #sendNext(room) {
    const next = this.of(room).find((message) => message.state === 'waiting' || message.state === 'sending');
    if (next && !next.inFlight) {
      this.#attempt(next);
    }
  }

  async #attempt(message) {
    if (this.#client.state !== 'connected') {
      this.#move(message, 'waiting');
      return;
    }
    message.inFlight = true;
    this.#move(message, 'sending');
    try {
      const { room, tempId, text, at } = message;
      const { data } = await this.#client.rpc('chat.send', { room, tempId, text, at });
      message.offset = data.offset ?? 0;
      this.#trouble(false);
      this.#move(message, 'sent');
    } catch (error) {
      if (isTemporary(error)) {
        this.#trouble(this.#client.state === 'connected');
        this.#move(message, 'waiting');
        setTimeout(() => this.#sendNext(message.room), RETRY_AFTER);
        return;
      }
      message.error = error.message;
      this.#move(message, 'failed');
    } finally {
      message.inFlight = false;
    }
    this.#sendNext(message.room);
  }

  #move(message, state) {
    message.state = state;
    if (this.#messages.has(message.tempId)) {
      this.#changed(message);
    }
  }

  #save() {
    const kept = [...this.#messages.values()].map(({ tempId, room, text, at }) => ({ tempId, room, text, at }));
    sessionStorage.setItem(this.#key, JSON.stringify(kept));
  }
}
