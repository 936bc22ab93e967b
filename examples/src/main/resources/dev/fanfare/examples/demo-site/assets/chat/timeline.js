// The messages of one room on the screen: in order of their offsets, one entry per offset, then those
// that are still on their way.
import { avatar, isAtEnd, make, readMessage, timeOfDay } from '../dom.js';

const TOGETHER = 5 * 60_000; // messages of one author within five minutes hang together
const KEPT = 1000; // entries; older ones can be loaded again

const OLDEST = 31 * 24 * 3_600_000; // messages are kept for thirty days
const AHEAD = 2 * 60_000; // what an author's clock may be ahead of this one

const WORDS = { waiting: 'Waiting for the server', sending: 'Sending', sent: 'Sent', failed: 'Not sent' };

/** Tells whether to believe the time that an author's clock gave. */
function isPlausible(at) {
  const now = Date.now();
  return typeof at === 'number' && at > now - OLDEST && at < now + AHEAD;
}

export class Timeline {
  #list;
  #scroll;
  #jump;
  #user;
  #act;
  #entries = []; // { order, element, author, at, offset?, tempId? }, sorted by order
  #byOffset = new Map();
  #unseen = 0;
  #pendingOrder = 0;

  /**
   * @param parts the elements {list, scroll, jump}
   * @param user whose own messages these are
   * @param act what to do on {retry(tempId), discard(tempId)}
   */
  constructor({ list, scroll, jump }, user, act) {
    this.#list = list;
    this.#scroll = scroll;
    this.#jump = jump;
    this.#user = user;
    this.#act = act;
    list.replaceChildren();
    jump.hidden = true;
    scroll.onscroll = () => isAtEnd(this.#scroll) && this.#seen();
    jump.onclick = () => this.toEnd();
  }

  /** The smallest offset on the screen; 0 if there is none. */
  get first() {
    return this.#entries.find((entry) => entry.offset)?.offset ?? 0;
  }

  /** The largest offset on the screen; 0 if there is none. */
  get last() {
    return this.#entries.reduce((most, entry) => Math.max(most, entry.offset ?? 0), 0);
  }

  isEmpty() {
    return this.#entries.length === 0;
  }

  /**
   * Shows publications, new or from the history. What is there already stays as it is.
   *
   * @returns whether the oldest entries had to go
   */
  add(publications, { isOld = false } = {}) {
    const follow = isAtEnd(this.#scroll);
    const before = this.#scroll.scrollHeight - this.#scroll.scrollTop;
    let added = 0;
    for (const publication of publications) {
      if (!this.#byOffset.has(publication.offset)) {
        this.#addOne(publication);
        added++;
      }
    }
    const isTrimmed = follow && !isOld && this.#trim();
    this.#arrange();
    if (isOld) {
      this.#scroll.scrollTop = this.#scroll.scrollHeight - before; // what one reads stays where it is
    } else {
      this.#afterChange(follow, added);
    }
    return isTrimmed;
  }

  /** Lets the oldest go, if there are too many; only while nobody is reading back there. */
  #trim() {
    const over = this.#entries.length - KEPT;
    for (const entry of this.#entries.splice(0, Math.max(0, over))) {
      this.#byOffset.delete(entry.offset);
      entry.element.remove();
    }
    return over > 0;
  }

  #addOne({ offset, data, arrivedAt = null }) {
    const { user, text } = readMessage(data);
    const tempId = user === this.#user ? data?.tempId : undefined;
    const at = isPlausible(data?.at) ? data.at : arrivedAt; // the API need not say when; the protocol does not
    const pending = tempId && this.#entries.find((entry) => entry.tempId === tempId && !entry.offset);
    const byApi = !data?.tempId;
    const entry = pending || { author: user, at, element: this.#draw(user, text, at, byApi) };
    entry.order = offset;
    entry.offset = offset;
    entry.element.dataset.offset = offset;
    this.#byOffset.set(offset, entry);
    if (pending) {
      delete entry.element.dataset.state;
      entry.element.querySelector('.fate').replaceChildren();
    }
    this.#insert(entry);
  }

  /** Shows a message that is on its way, or how it is faring. */
  pending(message) {
    const follow = isAtEnd(this.#scroll);
    let entry = this.#entries.find((one) => one.tempId === message.tempId);
    if (entry?.offset) {
      return; // it is there already; the answer to the call only came later
    }
    if (!entry) {
      entry = {
        author: this.#user,
        at: message.at,
        tempId: message.tempId,
        element: this.#draw(this.#user, message.text, message.at, false),
        order: Number.MAX_SAFE_INTEGER - 1e9 + this.#pendingOrder++,
      };
      entry.element.dataset.tempId = message.tempId;
      this.#insert(entry);
      this.#arrange();
    }
    entry.element.dataset.state = message.state;
    entry.element.querySelector('.fate').replaceChildren(...this.#fate(message));
    this.#afterChange(follow || message.state === 'sending', 0);
  }

  #fate(message) {
    const words = [make('span', {}, message.state === 'failed' ? `Not sent: ${message.error}` : WORDS[message.state])];
    const button = (text, run) => make('button', { type: 'button', class: 'link', on: { click: run } }, text);
    if (message.state === 'waiting' || message.state === 'failed') {
      words.push(button('Retry', () => this.#act.retry(message.tempId)));
    }
    if (message.state === 'failed') {
      words.push(button('Discard', () => this.#act.discard(message.tempId)));
    }
    return words;
  }

  /** Takes a message off the screen that never became a publication. */
  drop(tempId) {
    const index = this.#entries.findIndex((entry) => entry.tempId === tempId && !entry.offset);
    if (index >= 0) {
      this.#entries[index].element.remove();
      this.#entries.splice(index, 1);
      this.#arrange();
    }
  }

  /** Says something between the messages. */
  note(text) {
    this.#line(this.last + 0.5, make('li', { class: 'note' }, text));
  }

  /** Draws a line before an offset, and marks the messages from there to the end. */
  divide(text, offsets) {
    const element = make('li', { class: 'divider' }, text);
    this.#line(offsets[0] - 0.25, element);
    for (const offset of offsets) {
      this.#byOffset.get(offset)?.element.classList.add('missed');
    }
  }

  #line(order, element) {
    const follow = isAtEnd(this.#scroll);
    this.#insert({ order, element, author: null, at: null });
    this.#arrange();
    this.#afterChange(follow, 0);
  }

  clear() {
    this.#entries = this.#entries.filter((entry) => entry.tempId && !entry.offset);
    this.#byOffset.clear();
    this.#list.replaceChildren(...this.#entries.map((entry) => entry.element));
    this.#seen();
  }

  toEnd() {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#seen();
  }

  #draw(user, text, at, byApi) {
    const author = make('span', { class: 'author' }, user);
    if (user === this.#user) {
      author.append(' ', make('small', {}, 'you'));
    } else if (byApi) {
      author.append(' ', make('small', {}, 'by API'));
    }
    const time = at ? make('time', { datetime: new Date(at).toISOString() }, timeOfDay(at)) : null;
    return make(
      'li',
      { class: 'message' },
      avatar(user),
      make('div', { class: 'head' }, author, time),
      make('div', { class: 'text' }, text),
      make('div', { class: 'fate' }),
    );
  }

  /** Puts an entry at its place, both in the list and on the page. */
  #insert(entry) {
    const present = this.#entries.indexOf(entry);
    if (present >= 0) {
      this.#entries.splice(present, 1);
    }
    let index = this.#entries.length;
    while (index > 0 && this.#entries[index - 1].order > entry.order) {
      index--;
    }
    const next = this.#entries[index]?.element ?? null;
    this.#entries.splice(index, 0, entry);
    if (!entry.element.isConnected || entry.element.nextElementSibling !== next) {
      this.#list.insertBefore(entry.element, next);
    }
  }

  #arrange() {
    let previous = null;
    for (const entry of this.#entries) {
      if (entry.author !== null) {
        const follows =
          previous !== null &&
          previous.author === entry.author &&
          Math.abs((entry.at ?? 0) - (previous.at ?? 0)) < TOGETHER;
        entry.element.classList.toggle('follows', follows);
      }
      previous = entry.author === null ? null : entry;
    }
  }

  #afterChange(follow, added) {
    if (follow) {
      this.toEnd();
    } else if (added > 0) {
      this.#unseen += added;
      this.#jump.textContent = `${this.#unseen} new ↓`;
      this.#jump.hidden = false;
    }
  }

  #seen() {
    this.#unseen = 0;
    this.#jump.hidden = true;
  }
}
