// One room as this client follows it: messages, who is there, who is typing.
//
// How nothing falls between history and what is new, and nothing shows twice:
//
// Subscribe first. Once that is answered, everything after the answer's position P is pushed, in order.
// Then ask for the newest 50 publications. The server answers with those up to some top T, and T >= P,
// since it looks later. So what was pushed (from P+1 on) and what was answered (up to T) touch or
// overlap wherever T is, and there is no hole between them. What is in both has the same offset, and the
// timeline keeps one entry per offset.
//
// After a lost connection the client library resumes from the last offset it saw. Either the server
// continues from there: the missed publications come with the answer, in order, and nothing is to be
// done but count them. Or it cannot (recovered is false): then what is on the screen has a hole behind
// it, so it is thrown away and the history is loaded as on the first day.

const HISTORY = 50;
const RETRY_AFTER = 2000;
const TYPING_SHOWN = 4000;
const TYPING_AGAIN = 2000;
const LEASES_OVER = 30_000;

export class Room {
  #client;
  #user;
  #view;
  #messages; // the subscription to chat:<room>
  #typing; // the subscription to typing:<room>
  #needsHistory = true;
  #epoch = ''; // of what is on the screen
  #loading = 0; // which load is the current one; an older one that ends late is ignored
  #closed = false;
  #missed = null; // counts recovered publications, while they come
  #people = new Map(); // user -> number of connections
  #looking = false;
  #lookAgain = false;
  #typists = new Map(); // user -> timer
  #typingSaidAt = 0;

  /**
   * @param client the centrifuge client
   * @param id the room's id
   * @param user who is looking
   * @param view what shows it all
   */
  constructor(client, id, user, view) {
    this.id = id;
    this.#client = client;
    this.#user = user;
    this.#view = view;
    this.#messages = client.newSubscription(`chat:${id}`, { recoverable: true, positioned: true, joinLeave: true });
    this.#messages.on('subscribed', (context) => this.#subscribed(context));
    this.#messages.on('error', () => view.trouble('room', true)); // the library tries again
    this.#messages.on('publication', (context) => this.#publication(context));
    this.#messages.on('join', (context) => this.#joined(context.info.user));
    this.#messages.on('leave', (context) => this.#left(context.info.user));
    this.#messages.on('unsubscribed', (context) => this.#closed || view.refused(context.code, context.reason));
    this.#typing = client.newSubscription(`typing:${id}`);
    this.#typing.on('publication', (context) => this.#typed(context));
    this.#messages.subscribe();
    this.#typing.subscribe();
  }

  /** Leaves the room. */
  close() {
    this.#closed = true;
    for (const subscription of [this.#messages, this.#typing]) {
      subscription.unsubscribe();
      subscription.removeAllListeners();
      this.#client.removeSubscription(subscription);
    }
    for (const timer of this.#typists.values()) {
      clearTimeout(timer);
    }
  }

  #subscribed(context) {
    this.#view.trouble('room', false);
    if (context.wasRecovering && context.recovered) {
      this.#countMissed();
    } else {
      if (context.wasRecovering) {
        this.#view.reset();
      }
      this.#needsHistory = true;
    }
    if (this.#needsHistory) {
      this.#load();
    }
    this.#look();
    // Whom a server that died had connected is taken for present until its lease is over.
    setTimeout(() => this.#closed || this.#look(), LEASES_OVER);
  }

  /** The library hands over what was recovered right after this event, in the same turn. */
  #countMissed() {
    this.#missed = [];
    queueMicrotask(() => {
      const missed = this.#missed;
      this.#missed = null;
      this.#view.resumed(missed);
    });
  }

  async #load() {
    const load = ++this.#loading;
    try {
      const page = await this.#messages.history({ limit: HISTORY, reverse: true });
      if (this.#closed || load !== this.#loading) {
        return;
      }
      this.#needsHistory = false;
      this.#view.trouble('history', false);
      this.#epoch = page.epoch;
      this.#view.history(page.publications.reverse(), page.offset, page.publications.length === HISTORY);
    } catch {
      this.#later('history', () => load === this.#loading && this.#needsHistory && this.#load());
    }
  }

  /** Says that the server could not answer, and asks again. When the connection broke, the next "subscribed" does. */
  #later(what, ask) {
    if (!this.#closed && this.#messages.state === 'subscribed') {
      this.#view.trouble(what, true);
      setTimeout(() => !this.#closed && this.#messages.state === 'subscribed' && ask(), RETRY_AFTER);
    }
  }

  /** Loads the publications before an offset. */
  async older(offset) {
    const since = { offset, epoch: this.#epoch };
    const page = await this.#messages.history({ limit: HISTORY, reverse: true, since });
    if (!this.#closed) {
      this.#view.older(page.publications.reverse(), page.publications.length === HISTORY);
    }
  }

  #publication(context) {
    this.#missed?.push(context.offset);
    this.#view.message(this.#missed ? context : { ...context, arrivedAt: Date.now() });
    if (context.data?.user) {
      this.#stoppedTyping(context.data.user);
    }
  }

  // Who is there. The list is asked for once, joins and leaves keep it up to date.

  async #look() {
    // A join that comes while the question is under way may or may not be in the answer: ask once more.
    if (this.#looking) {
      this.#lookAgain = true;
      return;
    }
    this.#looking = true;
    this.#lookAgain = false;
    try {
      const { clients } = await this.#messages.presence();
      this.#view.trouble('people', false);
      if (!this.#lookAgain && !this.#closed) {
        this.#people = new Map();
        for (const { user } of Object.values(clients)) {
          this.#people.set(user, (this.#people.get(user) ?? 0) + 1);
        }
        this.#view.people(this.#people);
      }
    } catch {
      this.#later('people', () => this.#look());
    } finally {
      this.#looking = false;
    }
    if (this.#lookAgain && !this.#closed) {
      this.#look();
    }
  }

  #joined(user) {
    if (user && user !== this.#user && !this.#people.has(user)) {
      this.#view.note(`${user} came in`);
    }
    this.#look();
  }

  #left(user) {
    if (user && user !== this.#user) {
      this.#view.note(`${user} left`);
      this.#stoppedTyping(user);
    }
    this.#look();
  }

  // Who is typing. Nothing of it is kept: a notice that is lost is worth nothing a moment later.

  /** Tells the others that this user is typing, now and then. */
  typing() {
    const now = Date.now();
    if (this.#typing.state === 'subscribed' && now - this.#typingSaidAt > TYPING_AGAIN) {
      this.#typingSaidAt = now;
      this.#typing.publish({}).catch(() => {});
    }
  }

  /** The message was sent: the next letter is a new one. */
  typingEnded() {
    this.#typingSaidAt = 0;
  }

  #typed(context) {
    const user = context.info?.user; // the server says whose it is, not the sender
    if (!user || user === this.#user) {
      return;
    }
    clearTimeout(this.#typists.get(user));
    this.#typists.set(user, setTimeout(() => this.#stoppedTyping(user), TYPING_SHOWN));
    this.#view.typing([...this.#typists.keys()]);
  }

  #stoppedTyping(user) {
    if (this.#typists.has(user)) {
      clearTimeout(this.#typists.get(user));
      this.#typists.delete(user);
      this.#view.typing([...this.#typists.keys()]);
    }
  }
}
