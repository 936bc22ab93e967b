// The chat page: signs in, connects, and shows the room that is open.
import { avatar, find, isAtEnd, make } from '../dom.js';
import { Outbox } from './outbox.js';
import { Room } from './room.js';
import { cut, forget, resumeSession, signIn, signOut } from './session.js';
import { Timeline } from './timeline.js';

const { Centrifuge } = globalThis; // the published client library, unmodified, from /vendor

const OFFLINE_SECONDS = 10;
const BANNER_SECONDS = 15;
const BY_US = 0;
const INVALID_TOKEN = 3500;
const FORCED_OUT = 3503;

const page = {
  state: find('#state'),
  me: find('#me'),
  signOut: find('#sign-out'),
  signIn: find('#sign-in'),
  signInForm: find('#sign-in-form'),
  name: find('#name'),
  signInError: find('#sign-in-error'),
  chat: find('#chat'),
  rooms: find('#rooms'),
  title: find('#room-title'),
  about: find('#room-about'),
  scroll: find('#scroll'),
  older: find('#older'),
  hush: find('#hush'),
  list: find('#timeline'),
  jump: find('#jump'),
  banner: find('#banner'),
  typing: find('#typing'),
  composer: find('#composer'),
  text: find('#text'),
  people: find('#people'),
  peopleLabel: find('#people-label'),
  peopleCount: find('#people-count'),
  offline: find('#offline'),
  cut: find('#cut'),
};

let chat = null; // who is here, while somebody is

// Signing in and out

function showSignIn(message = '') {
  page.chat.hidden = page.me.hidden = page.signOut.hidden = page.state.hidden = true;
  page.signIn.hidden = false;
  page.signInError.textContent = message;
  page.name.focus();
}

function showChat(session) {
  page.signIn.hidden = true;
  page.chat.hidden = page.me.hidden = page.signOut.hidden = page.state.hidden = false;
  page.me.replaceChildren(avatar(session.user), make('span', {}, session.user));
  mendToys();
  chat = new Chat(session);
}

page.signInForm.addEventListener('submit', async (event) => {
  event.preventDefault();
  page.signInError.textContent = '';
  try {
    showChat(await signIn(page.name.value));
    page.text.focus();
  } catch (error) {
    page.signInError.textContent = error.message;
    page.name.select();
  }
});

page.signOut.addEventListener('click', async () => {
  const { token } = chat.session;
  chat.end();
  chat = null;
  await signOut(token);
  showSignIn();
});

// The chat of one person

class Chat {
  #client;
  #outbox;
  #room = null;
  #timeline = null;
  #resuming = false;
  #drafts = new Map(); // by room: what is written and not sent
  #troubles = new Set(); // what the server, though it is there, cannot do now

  constructor(session) {
    this.session = session;
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    this.#client = new Centrifuge(`${scheme}://${location.host}/connection/websocket`, {
      token: session.token,
      minReconnectDelay: 200,
      maxReconnectDelay: 3000,
    });
    this.#outbox = new Outbox(this.#client, session.user, (message) => this.#sent(message), (isThere) => this.#trouble('sending', isThere));
    this.#client.on('connecting', () => showState('connecting', this.#resuming ? 'Reconnecting' : 'Connecting'));
    this.#client.on('connected', () => {
      this.#resuming = true;
      this.#troubles.clear();
      this.#showConnection();
      // The subscriptions went out together with the connect. Give the channel the chance to bring our
      // own messages back first; sending them once more would do no harm, only say "duplicate".
      setTimeout(() => this.#outbox.flush(), 100);
    });
    this.#client.on('disconnected', (context) => this.#disconnected(context));
    this.#drawRooms();
    const wanted = location.hash.slice(1);
    this.open(session.rooms.some((room) => room.id === wanted) ? wanted : session.rooms[0].id);
    this.#client.connect();
  }

  /** Takes note of something that the server cannot do now, or can again. */
  #trouble(what, isThere) {
    if (this.#troubles.has(what) !== isThere) {
      isThere ? this.#troubles.add(what) : this.#troubles.delete(what);
      this.#showConnection();
    }
  }

  #showConnection() {
    if (this.#client.state !== 'connected') {
      return; // which is shown, and says more
    }
    const isWell = this.#troubles.size === 0;
    showState(isWell ? 'connected' : 'troubled', isWell ? 'Connected' : 'Connected, but the server is in trouble');
  }

  end() {
    this.#room?.close();
    this.#client.disconnect();
  }

  /** Closes the socket; the subscriptions remember where they were. */
  goOffline() {
    this.#client.disconnect();
  }

  goOnline() {
    this.#client.connect();
  }

  #disconnected(context) {
    if (context.code === BY_US) {
      showState('disconnected', 'Offline');
    } else if (context.code === INVALID_TOKEN || context.code === FORCED_OUT) {
      this.#signedOut(context.code);
    } else {
      showState('disconnected', `Disconnected: ${context.reason}`);
    }
  }

  /**
   * A server that was started anew does not know our token: unless somebody else took the name, we come in again. It is
   * the same client with another token, so its subscriptions resume where they were.
   */
  async #signedOut(code) {
    if (code === INVALID_TOKEN) {
      showState('connecting', 'Signing in again');
      try {
        this.session = await signIn(this.session.user);
        this.#client.setToken(this.session.token);
        this.#client.connect();
        return;
      } catch {
        // the name is taken, or the server is gone again
      }
    }
    this.#room?.close();
    chat = null;
    forget();
    showSignIn('You were signed out, or the server was started anew. Come in again.');
  }

  #drawRooms() {
    page.rooms.replaceChildren(
      ...this.session.rooms.map((room) => {
        const sign = make('span', { class: 'sign', 'aria-hidden': 'true' }, '#');
        const button = make('button', { type: 'button', dataset: { room: room.id }, on: { click: () => this.open(room.id) } }, sign, room.title);
        if (!room.open) {
          button.append(lock(), make('span', { class: 'visually-hidden' }, '(restricted)'));
        }
        return make('li', {}, button);
      }),
    );
  }

  /** Opens a room in place of the one that is open. */
  open(id) {
    if (this.#room?.id === id) {
      return;
    }
    if (this.#room) {
      this.#drafts.set(this.#room.id, page.text.value);
      this.#room.close();
      ['room', 'history', 'people'].forEach((what) => this.#trouble(what, false));
    }
    page.text.value = this.#drafts.get(id) ?? '';
    fitComposer();
    const room = this.session.rooms.find((one) => one.id === id);
    history.replaceState(null, '', `#${id}`);
    for (const button of page.rooms.querySelectorAll('button')) {
      button.setAttribute('aria-current', String(button.dataset.room === id));
    }
    page.title.textContent = room.title;
    page.about.textContent = room.about;
    page.older.hidden = true;
    page.typing.textContent = '';
    page.people.replaceChildren();
    showStale(false);
    page.peopleCount.textContent = '';
    hideBanner();
    showHush();
    setWritable(true);
    this.#timeline = new Timeline(page, this.session.user, {
      retry: (tempId) => this.#outbox.retry(tempId),
      discard: (tempId) => {
        this.#outbox.take(tempId);
        this.#timeline.drop(tempId);
      },
    });
    this.#room = new Room(this.#client, id, this.session.user, this.#view(this.#timeline));
    for (const message of this.#outbox.of(id)) {
      this.#timeline.pending(message);
    }
  }

  /** What a room may do to the page. */
  #view(timeline) {
    const show = (publications, options) => {
      // Its own messages come back here: they take the place of the pending ones.
      publications.forEach(({ data }) => data?.user === this.session.user && this.#outbox.take(data.tempId));
      if (timeline.add(publications, options)) {
        page.older.hidden = false;
      }
      showHush();
    };
    return {
      trouble: (what, isThere) => this.#trouble(what, isThere),
      message: (publication) => show([publication]),
      history: (publications, top, hasMore) => {
        page.older.hidden = !hasMore; // first, since it takes room above what is scrolled to
        show(publications);
        for (const message of this.#outbox.of(this.#room.id)) {
          if (message.state === 'sent' && message.offset <= top) {
            this.#outbox.take(message.tempId); // it lies before what is shown
            timeline.drop(message.tempId);
          }
        }
        if (timeline.isEmpty()) {
          showHush('Nothing said here yet', 'Be the first.');
        }
      },
      older: (publications, hasMore) => {
        show(publications, { isOld: true });
        page.older.hidden = !hasMore;
      },
      resumed: (offsets) => {
        showBanner(`Resumed, ${offsets.length} missed`, 'continued');
        if (offsets.length > 0) {
          timeline.divide(`${offsets.length} missed while you were away`, offsets);
        }
      },
      reset: () => {
        timeline.clear();
        showBanner('Could not be resumed, reloaded', 'reset');
      },
      people: (people) => showPeople(people, this.session.user),
      note: (text) => {
        timeline.note(text);
        showHush();
      },
      typing: showTyping,
      refused: (code, reason) => {
        showHush('You have no access to this room', `${page.about.textContent}. The server said: ${reason} (${code}).`);
        setWritable(false);
        showPeople(new Map(), this.session.user);
      },
    };
  }

  #sent(message) {
    if (message.room === this.#room?.id) {
      if (message.state === 'sent' && message.offset > 0 && message.offset <= this.#timeline.last) {
        this.#outbox.take(message.tempId); // it was there before, and lies before what is shown
        this.#timeline.drop(message.tempId);
      } else {
        this.#timeline.pending(message);
      }
    } else if (message.state === 'sent') {
      this.#outbox.take(message.tempId); // its room shows it from the history when it is opened
    }
  }

  send(text) {
    showHush();
    this.#room.typingEnded();
    this.#outbox.send(this.#room.id, text);
    this.#timeline.toEnd();
  }

  typing() {
    this.#room.typing();
  }

  older() {
    return this.#room.older(this.#timeline.first);
  }
}

// What is on the page

function showState(name, text) {
  page.state.dataset.state = name;
  page.state.textContent = text;
  if (name !== 'connected' && name !== 'troubled') {
    hideBanner(); // what it says of the connection is over
    showStale(page.people.childElementCount > 0);
  }
}

/** Says that the people shown are those who were there when the connection was lost; the next list takes it back. */
function showStale(isStale) {
  page.peopleLabel.textContent = isStale ? 'Before the cut' : 'Here now';
  page.people.classList.toggle('stale', isStale);
}

function showHush(title = '', text = '') {
  page.hush.hidden = !title;
  page.hush.replaceChildren(...(title ? [make('b', {}, title), text] : []));
}

function setWritable(isWritable) {
  page.text.disabled = !isWritable;
  page.text.placeholder = isWritable ? 'Write a message' : 'You cannot write here';
  find('button', page.composer).disabled = !isWritable;
}

/** Keeps the newest message in sight when the window, or what is written, grows or shrinks. */
function stayAtEnd() {
  let wasAtEnd = true;
  page.scroll.addEventListener('scroll', () => (wasAtEnd = isAtEnd(page.scroll)));
  new ResizeObserver(() => wasAtEnd && (page.scroll.scrollTop = page.scroll.scrollHeight)).observe(page.scroll);
}

let bannerTimer = 0;

function showBanner(text, kind) {
  clearTimeout(bannerTimer);
  find('span', page.banner).textContent = text;
  page.banner.classList.toggle('reset', kind === 'reset');
  page.banner.hidden = false;
  bannerTimer = setTimeout(hideBanner, BANNER_SECONDS * 1000);
}

function hideBanner() {
  clearTimeout(bannerTimer);
  page.banner.hidden = true;
}

function showPeople(people, me) {
  showStale(false);
  const names = [...people.keys()].filter((name) => name !== '').sort((a, b) => (b === me) - (a === me) || a.localeCompare(b));
  const guests = people.get('') ?? 0;
  page.peopleCount.textContent = names.length + guests || '';
  page.people.replaceChildren(
    ...names.map((name) =>
      make('li', { dataset: { user: name }, title: name }, avatar(name), make('span', { class: 'who' }, name), aside(name, people.get(name), me)),
    ),
    ...(guests ? [make('li', {}, avatar('·'), make('span', { class: 'who' }, guests === 1 ? 'a guest' : `${guests} guests`))] : []),
  );
}

function aside(name, connections, me) {
  const words = [name === me ? 'you' : '', connections > 1 ? `${connections} windows` : ''].filter(Boolean).join(', ');
  return words ? make('small', {}, words) : null;
}

function showTyping(names) {
  const last = names.at(-1);
  const all = names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${last} are` : `${last} is`;
  page.typing.textContent = names.length === 0 ? '' : names.length > 3 ? 'Several people are typing…' : `${all} typing…`;
}

function lock() {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', 'M3 7h10v7H3zM5 7V5a3 3 0 0 1 6 0v2');
  svg.append(path);
  return svg;
}

// What people do

function submit() {
  const text = page.text.value.trim();
  if (text && chat) {
    chat.send(text);
    page.text.value = '';
    fitComposer();
  }
}

function fitComposer() {
  page.text.style.height = 'auto';
  page.text.style.height = `${page.text.scrollHeight + 2}px`;
}

page.composer.addEventListener('submit', (event) => {
  event.preventDefault();
  submit();
  page.text.focus();
});

page.text.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    submit();
  }
});

page.text.addEventListener('input', () => {
  fitComposer();
  if (page.text.value.trim()) {
    chat?.typing();
  }
});

page.older.addEventListener('click', async () => {
  page.older.disabled = true;
  await chat?.older().catch(() => {});
  page.older.disabled = false;
});

find('button', page.banner).addEventListener('click', hideBanner);

page.cut.addEventListener('click', () => chat && cut(chat.session.token).catch((error) => showState('disconnected', error.message)));

const offlineLabel = page.offline.textContent;

/** Lets the toys be played with again: by whoever is here now. */
function mendToys() {
  page.offline.textContent = offlineLabel;
  page.offline.disabled = page.cut.disabled = false;
}

page.offline.addEventListener('click', async () => {
  page.offline.disabled = page.cut.disabled = true;
  const absent = chat;
  absent.goOffline();
  for (let left = OFFLINE_SECONDS; left > 0 && chat === absent; left--) {
    page.offline.textContent = `Offline, ${left} s left`;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  if (chat === absent) {
    absent.goOnline();
    mendToys();
  }
});

// Begin

stayAtEnd();
try {
  const session = await resumeSession();
  if (session) {
    showChat(session);
  } else {
    showSignIn();
  }
} catch (error) {
  showSignIn(error.message);
}
