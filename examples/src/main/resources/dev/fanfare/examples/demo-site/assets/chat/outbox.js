// Messages on their way. Each has a tempId, made here, which the server uses as dedup key: so a message
// whose fate is unknown is simply sent again, by hand or by itself, and is never there twice.

const RETRY_AFTER = 2000;

/** Tells whether sending the same again may help. Codes below 100 are the client's own: time-out, connection lost. */
function isTemporary(error) {
  const code = error?.code ?? 0;
  return error?.temporary === true || code < 100 || [100, 111, 429, 503].includes(code);
}

export class Outbox {
  #client;
  #changed;
  #key; // where they are kept, so that a reload or a new sign-in loses none
  #messages = new Map(); // by tempId, in the order of sending

  /**
   * @param client the centrifuge client
   * @param user whose messages these are
   * @param changed called with each message whose state changed
   */
  constructor(client, user, changed) {
    this.#client = client;
    this.#key = `fanfare-demo-outbox-${user}`;
    this.#changed = changed;
    for (const message of JSON.parse(sessionStorage.getItem(this.#key) ?? '[]')) {
      this.#messages.set(message.tempId, { ...message, state: 'waiting', offset: 0, inFlight: false });
    }
  }

  /** Takes a message and sends it as soon as it can be. */
  send(room, text) {
    const message = { tempId: crypto.randomUUID(), room, text, at: Date.now(), state: 'sending', offset: 0, inFlight: false };
    this.#messages.set(message.tempId, message);
    this.#save();
    this.#changed(message);
    this.#attempt(message);
    return message;
  }

  /** Sends everything again whose fate is unknown. Call it when the connection is back. */
  flush() {
    for (const message of this.#messages.values()) {
      if (message.state === 'waiting' || message.state === 'sending') {
        this.#attempt(message);
      }
    }
  }

  retry(tempId) {
    const message = this.#messages.get(tempId);
    if (message) {
      this.#attempt(message);
    }
  }

  /** Forgets a message: it came back in the channel, or its author gave it up. */
  take(tempId) {
    const message = this.#messages.get(tempId);
    if (this.#messages.delete(tempId)) {
      this.#save();
    }
    return message;
  }

  of(room) {
    return [...this.#messages.values()].filter((message) => message.room === room);
  }

  async #attempt(message) {
    if (message.inFlight) {
      return;
    }
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
      this.#move(message, 'sent');
    } catch (error) {
      if (isTemporary(error)) {
        this.#move(message, 'waiting');
        setTimeout(() => message.state === 'waiting' && this.#messages.has(message.tempId) && this.flush(), RETRY_AFTER);
      } else {
        message.error = error.message;
        this.#move(message, 'failed');
      }
    } finally {
      message.inFlight = false;
    }
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
