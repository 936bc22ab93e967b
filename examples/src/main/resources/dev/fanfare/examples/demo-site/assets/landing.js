// The landing page: the lobby as it is, through EventSource, and commands to copy.
import { find, make, offerCopies, readMessage } from './dom.js';

const SHOWN = 6;

const feed = find('#feed');
const state = find('#state');

function show(data) {
  const { user, text } = readMessage(data);
  feed.querySelector('.empty')?.remove();
  feed.append(make('li', {}, make('b', {}, user), text));
  while (feed.children.length > SHOWN) {
    feed.firstElementChild.remove();
  }
}

function say(name, text) {
  state.dataset.state = name;
  state.textContent = text;
}

// In an envelope, since publications with an event type would not come to onmessage otherwise.
const events = new EventSource('/sse?channel=chat:lobby&history=5&envelope=true');
events.onopen = () => say('connected', 'Live');
events.onerror = () => (events.readyState === EventSource.CLOSED ? say('disconnected', 'Closed') : say('connecting', 'Reconnecting'));
events.onmessage = (event) => {
  const { data, b64data } = JSON.parse(event.data);
  show(data ?? `(not text: ${b64data})`);
};
events.addEventListener('reset', () => location.reload()); // what is shown is of another life
addEventListener('pagehide', () => events.close());
addEventListener('pageshow', (event) => event.persisted && location.reload());

for (const element of document.querySelectorAll('[data-origin]')) {
  element.textContent = location.origin;
}

offerCopies();
