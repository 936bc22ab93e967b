// A room through EventSource: what the browser gives, and nothing else.
import { savedToken } from './chat/session.js';
import { find, isAtEnd, make, offerCopies, readMessage, timeOfDay } from './dom.js';

const HISTORY = 20;
const KEPT = 500;

const page = {
  state: find('#state'),
  room: find('#room'),
  close: find('#close'),
  reopen: find('#reopen'),
  stale: find('#stale'),
  received: find('#received'),
  resets: find('#resets'),
  lastId: find('#last-id'),
  curl: find('#curl'),
  curlNote: find('#curl-note'),
  status: find('#status'),
  scroll: find('#scroll'),
  log: find('#log'),
  hush: find('#hush'),
};

let source = null;
let lastId = '';
let received = 0;
let resets = 0;
let resumed = null; // { from, count, line } since the last resume

/** Opens the room, from its newest events or after a cursor. */
function open(cursor = '') {
  source?.close();
  // In an envelope, since publications with an event type would not come to onmessage otherwise.
  const query = new URLSearchParams({ channel: `chat:${page.room.value}`, envelope: true });
  if (cursor) {
    query.set('cursor', cursor); // a new EventSource cannot be given a Last-Event-ID, so it goes in the query
  } else {
    query.set('history', HISTORY);
  }
  const token = savedToken();
  showCurl(`'${location.origin}/sse?${decodeURIComponent(query)}'`, token);
  if (token) {
    query.set('token', token);
  }
  say('connecting', 'Connecting');
  let opened = false;
  resumed = null;
  source = new EventSource(`/sse?${query}`);
  source.onopen = () => {
    say('connected', 'Open');
    // The browser reconnects by itself and then sends the last id it saw as Last-Event-ID.
    const how = opened ? 'Last-Event-ID' : 'cursor';
    const from = opened ? lastId : cursor;
    opened = true;
    if (from) {
      resumed = { how, from, count: 0, line: mark('') };
      countResumed(0);
    } else {
      page.status.textContent = `Opened with the newest ${HISTORY}`;
    }
  };
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) {
      say('disconnected', 'Refused');
      page.status.textContent = `The server refused the stream; the browser does not try again.${hint(Boolean(token))}`;
      mark('refused', true);
    } else {
      say('connecting', 'Reconnecting');
      page.status.textContent = lastId ? `Lost the connection; the browser will ask for what comes after ${lastId}` : 'Lost the connection';
    }
  };
  source.onmessage = receive;
  source.addEventListener('reset', (event) => {
    page.resets.textContent = ++resets;
    remember(event);
    const { reason, cursor } = JSON.parse(event.data);
    row('reset', `reset: ${reason}`, `It cannot be continued from there; it goes on from ${cursor}.`, event.lastEventId);
    if (resumed) {
      page.status.textContent = `Asked for what comes after ${resumed.from}, and got a reset: ${reason}`;
      resumed.line.remove();
      resumed = null;
    }
  });
}

/** Shows the same for a terminal. The token is not shown, but copied, and only for the room that needs it. */
function showCurl(url, token) {
  const needsToken = page.room.value === 'leads';
  const command = (word) => (needsToken ? `curl -N -H 'Authorization: Bearer ${word}' ${url}` : `curl -N ${url}`);
  page.curl.textContent = command('…');
  page.curl.dataset.copy = command(token ?? '…');
  page.curlNote.hidden = !needsToken;
  page.curlNote.textContent = token
    ? 'Copy puts the token of your sign-in in.'
    : 'It needs a token: sign in to the chat as ada or grace, in this tab, and Copy puts it in.';
}

/** An EventSource is not told why it was refused; this page can guess. */
function hint(isSignedIn) {
  if (page.room.value !== 'leads') {
    return '';
  }
  return isSignedIn ? ' Only ada and grace may read this room.' : ' Sign in to the chat as ada or grace first, in this tab.';
}

function receive(event) {
  received++;
  page.received.textContent = received;
  remember(event);
  const { data, b64data } = JSON.parse(event.data);
  const { user, text } = readMessage(data ?? `(not text: ${b64data})`);
  row('', user, text, event.lastEventId, data?.at);
  if (resumed) {
    countResumed(resumed.count + 1);
  }
}

function countResumed(count) {
  resumed.count = count;
  const text = `Resumed with ${resumed.how} ${resumed.from}: ${count} received`;
  page.status.textContent = text;
  find('span', resumed.line).textContent = text;
}

function remember(event) {
  if (event.lastEventId) {
    lastId = event.lastEventId;
    page.lastId.textContent = lastId;
  }
}

function row(kind, name, text, id, at) {
  append(
    make(
      'li',
      { class: `event ${kind}`, dataset: { id } },
      make('div', { class: 'says' }, make('b', {}, name), text),
      at ? make('time', {}, timeOfDay(at)) : null,
      make('code', { class: 'id' }, `id: ${id || '(none)'}`),
    ),
  );
}

function mark(text, isLost = false) {
  const line = make('li', { class: `mark${isLost ? ' lost' : ''}` }, make('span', {}, text));
  append(line);
  return line;
}

function append(element) {
  const follow = isAtEnd(page.scroll);
  page.log.append(element);
  hushOrNot();
  while (page.log.children.length > KEPT) {
    page.log.firstElementChild.remove();
  }
  if (follow) {
    page.scroll.scrollTop = page.scroll.scrollHeight;
  }
}

function say(name, text) {
  page.state.dataset.state = name;
  page.state.textContent = text;
  hushOrNot();
}

/** An empty room says that it is empty. */
function hushOrNot() {
  page.hush.hidden = page.state.dataset.state !== 'connected' || page.log.childElementCount > 0;
}

page.room.addEventListener('change', () => {
  lastId = '';
  page.lastId.textContent = 'none yet';
  page.log.replaceChildren();
  page.received.textContent = received = 0;
  page.resets.textContent = resets = 0;
  location.hash = page.room.value;
  open();
});
page.close.addEventListener('click', () => {
  source.close();
  say('disconnected', 'Closed');
  page.status.textContent = 'Closed here';
});
page.reopen.addEventListener('click', () => open(lastId));
page.stale.addEventListener('click', () => open('v1.gone.1.1'));
addEventListener('pagehide', () => source.close());
addEventListener('pageshow', (event) => event.persisted && open(lastId));

const wanted = location.hash.slice(1);
if ([...page.room.options].some((option) => option.value === wanted)) {
  page.room.value = wanted;
}
open();
offerCopies();
