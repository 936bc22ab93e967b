import { call, key, look, totals, WrongKey } from './server.js';
import { draw, spark } from './spark.js';

const SLOTS = 60;
const LOOK_EVERY = 2000;
const $ = (id) => document.getElementById(id);

// ---- small things

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });

function short(value) {
  return Math.abs(value) < 10_000 ? String(Math.round(value * 10) / 10) : compact.format(value);
}

function bytes(value) {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) {
    value /= 1024;
  }
  return `${value >= 100 ? Math.round(value) : Math.round(value * 10) / 10} ${units[unit]}`;
}

function since(millis) {
  const seconds = Math.max(0, Math.round((Date.now() - millis) / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d`;
}

function words(reason) {
  return reason.toLowerCase().replaceAll('_', ' ');
}

// ---- totals

const TILES = [
  { name: 'Connections', of: (now) => now.connections, show: short },
  { name: 'Subscriptions', of: (now) => now.subscriptions, show: short },
  { name: 'Channels', of: (now) => now.channels, show: short },
  { name: 'Publishes / s', of: (now, before) => rate(now, before, 'publishes'), show: short },
  { name: 'Deliveries / s', of: (now, before) => rate(now, before, 'deliveries'), show: short },
  { name: 'Sent / s', of: (now, before) => rate(now, before, 'bytes'), show: bytes },
];

function rate(now, before, field) {
  return before ? Math.max(0, (1000 * (now[field] - before[field])) / Math.max(1, now.time - before.time)) : 0;
}

for (const tile of TILES) {
  tile.values = [];
  tile.svg = spark();
  tile.text = element('span', { className: 'value', textContent: '–' });
  document.querySelector('.tiles').append(
    element('div', { className: 'tile' }, element('span', { className: 'name', textContent: tile.name }), tile.text, tile.svg),
  );
}

const TROUBLE = [
  { field: 'resets', name: 'Resets', isBad: true },
  { field: 'drops', name: 'Publications dropped', isBad: true },
  { field: 'rejections', name: 'Turned away', isBad: true },
  { field: 'refusals', name: 'Refused to clients', isBad: false },
  { field: 'disconnects', name: 'Disconnects', isBad: false },
];

/** People leave, which is no trouble. */
const USUAL = new Set(['BY_CLIENT']);

function showTrouble(now) {
  const groups = TROUBLE.map(({ field, name, isBad }) => ({ name, isBad, all: Object.entries(now[field]).filter(([reason]) => !USUAL.has(reason)) })).filter(({ all }) => all.length > 0);
  const other = [['catch-ups', now.catchUps], ['repairs from the log', now.repairs]].filter(([, count]) => count > 0);
  if (other.length > 0) {
    groups.push({ name: 'Mended by itself', isBad: false, all: other });
  }
  if (groups.length === 0) {
    $('trouble').replaceChildren(element('p', { className: 'fine', textContent: '✓ Nothing so far.' }));
    return;
  }
  $('trouble').replaceChildren(
    ...groups.map(({ name, isBad, all }) => {
      const most = Math.max(...all.map(([, count]) => count));
      return element('div', { className: 'group' }, element('h3', { textContent: name }), ...all.map(([reason, count]) =>
        element('div', { className: isBad ? 'bar-row bad' : 'bar-row' },
          element('span', { textContent: words(reason) }),
          element('span', { className: 'number', textContent: short(count) }),
          element('meter', { min: 0, max: most, value: count }))));
    }),
  );
}

let before = null;

function showTotals(now) {
  for (const tile of TILES) {
    tile.values.push(tile.of(now, before));
    tile.values.splice(0, tile.values.length - SLOTS);
    tile.text.textContent = tile.show(tile.values.at(-1));
    draw(tile.svg, tile.values, SLOTS);
  }
  showTrouble(now);
  const isUp = now.reasons.length === 0;
  show(isUp ? 'up' : 'down', isUp ? 'ready' : now.reasons.join(' · '));
  $('node').hidden = false;
  $('node').textContent = `node ${now.node.slice(0, 8)}`;
  $('node').title = now.node;
  before = now;
}

function show(state, text) {
  $('state').hidden = false;
  $('state').dataset.state = state;
  $('state').textContent = text;
  $('state').title = text;
}

// ---- channels and connections

const seen = new Map(); // channel -> { count, time, rates, svg }

function rateOf(channel, time) {
  const known = seen.get(channel.channel);
  if (!known) {
    seen.set(channel.channel, { count: channel.publications, time, rates: [0], svg: spark() });
    return seen.get(channel.channel);
  }
  if (time > known.time) {
    known.rates.push(Math.max(0, (1000 * (channel.publications - known.count)) / (time - known.time)));
    known.rates.splice(0, known.rates.length - SLOTS / 2);
    known.count = channel.publications;
    known.time = time;
  }
  return known;
}

function row(open, name, ...cells) {
  const link = element('button', { className: 'link', type: 'button', textContent: name, title: name });
  const made = element('tr', {}, element('td', {}, link), ...cells);
  made.addEventListener('click', open);
  return made;
}

function replaceRows(body, rows) {
  const focused = body.contains(document.activeElement) ? document.activeElement.textContent : null;
  body.replaceChildren(...rows);
  if (focused !== null) {
    [...body.querySelectorAll('.link')].find((link) => link.textContent === focused)?.focus();
  }
}

async function showChannels() {
  const { channels } = await look('channels', { part: $('channel-filter').value });
  const time = performance.now();
  replaceRows($('channels'), channels.map((channel) => {
    const known = rateOf(channel, time);
    draw(known.svg, known.rates, SLOTS / 2);
    return row(() => openChannel(channel.channel), channel.channel,
      element('td', { className: 'number', textContent: short(channel.subscribers) }),
      element('td', { className: 'number', textContent: short(known.rates.at(-1)) }),
      element('td', { className: 'trend' }, known.svg));
  }));
  for (const [name, known] of seen) {
    if (time - known.time > 60_000) {
      seen.delete(name);
    }
  }
  $('channels-note').textContent = note(channels.length, 'channel', 'Nobody is subscribed to anything here.');
}

async function showConnections() {
  const { connections } = await look('connections', { part: $('connection-filter').value });
  replaceRows($('connections'), connections.map((each) =>
    row(() => openConnection(each), each.user || '(anonymous)',
      element('td', { textContent: each.transport }),
      element('td', { textContent: since(each.connectedAt), title: new Date(each.connectedAt).toLocaleString() }),
      element('td', { className: 'mono wide', textContent: each.client }))));
  $('connections-note').textContent = note(connections.length, 'connection', 'Nobody is connected here.');
}

function note(count, what, none) {
  if (count === 0) return none;
  return count === 200 ? `The first 200 ${what}s. Filter to find others.` : '';
}

// ---- details

function facts(pairs) {
  return element('dl', { className: 'facts' }, ...pairs.map(([name, value]) =>
    element('div', {}, element('dt', { textContent: name }), element('dd', { textContent: value }))));
}

function openDetail(title, ...children) {
  $('detail-title').textContent = title;
  $('detail-body').replaceChildren(...children);
  if (!$('detail').open) {
    $('detail').showModal();
  }
}

async function openChannel(channel) {
  const [{ channels }, history, presence] = await Promise.all([
    look('channels', { part: channel }),
    call('history', JSON.stringify({ channel, limit: 20, reverse: true })).catch((failure) => failure),
    call('presence_stats', JSON.stringify({ channel })).catch(() => null),
  ]);
  const mine = channels.find((each) => each.channel === channel);
  const pairs = [['Readers on this node', short(mine?.subscribers ?? 0)]];
  if (presence) {
    pairs.push(['Users present', short(presence.num_users)]);
  }
  let entries;
  if (history instanceof Error) {
    entries = element('p', { className: 'faint', textContent: `No history: ${history.message}.` });
  } else {
    pairs.push(['Top offset', String(history.offset)], ['Epoch', history.epoch]);
    entries = element('ul', { className: 'entries' }, ...history.publications.map((each) =>
      element('li', {}, element('span', { className: 'faint number', textContent: `#${each.offset}` }),
        element('code', { textContent: JSON.stringify(each.data ?? '(binary)').slice(0, 400) }))));
  }
  $('publish-channel').value = channel;
  openDetail(channel, facts(pairs), element('h3', { className: 'faint', textContent: 'Newest publications' }), entries);
}

async function openConnection(connection) {
  const { channels } = await look('subscriptions', { client: connection.client });
  const chips = element('div', { className: 'chips' }, ...channels.map((channel) => {
    const chip = element('button', { className: 'quiet mono', type: 'button', textContent: channel });
    chip.addEventListener('click', () => guarded(() => openChannel(channel)));
    return chip;
  }));
  openDetail(connection.user || '(anonymous)',
    facts([['Transport', connection.transport], ['Connected for', since(connection.connectedAt)], ['Id', connection.client]]),
    element('h3', { className: 'faint', textContent: channels.length === 0 ? 'No subscriptions' : `Subscribed to ${channels.length}` }), chips);
}

$('detail-close').addEventListener('click', () => $('detail').close());
$('detail').addEventListener('click', (event) => event.target === $('detail') && $('detail').close());

// ---- publishing

$('publish-form').addEventListener('submit', (event) => {
  event.preventDefault();
  guarded(async () => {
    const output = $('publish-result');
    output.textContent = '…';
    try {
      JSON.parse($('publish-data').value);
    } catch {
      output.textContent = 'That is not JSON.';
      return;
    }
    try {
      const channel = JSON.stringify($('publish-channel').value);
      const stored = await call('publish', `{"channel":${channel},"data":${$('publish-data').value}}`);
      output.textContent = stored.offset ? `Stored as #${stored.offset}` : 'Sent, not retained';
    } catch (failure) {
      output.textContent = failure instanceof WrongKey ? '' : `Refused: ${failure.message}`;
      if (failure instanceof WrongKey) throw failure;
    }
  });
});

// ---- coming and going

let watching = null;

async function guarded(action) {
  try {
    await action();
  } catch (failure) {
    if (failure instanceof WrongKey) {
      signOut(failure.message);
    }
  }
}

async function watch(signal) {
  for (let pause = 500; !signal.aborted; pause = Math.min(2 * pause, 10_000)) {
    try {
      for await (const now of totals(signal)) {
        pause = 500;
        showTotals(now);
      }
    } catch (failure) {
      if (failure instanceof WrongKey) {
        signOut(failure.message);
        return;
      }
    }
    if (!signal.aborted) {
      show('lost', 'no connection');
      await new Promise((done) => setTimeout(done, pause / 2 + (Math.random() * pause) / 2));
    }
  }
}

async function lookAround(signal) {
  while (!signal.aborted) {
    if (!document.hidden) {
      await guarded(() => Promise.all([showChannels(), showConnections()]));
    }
    await new Promise((done) => setTimeout(done, LOOK_EVERY));
  }
}

function enter() {
  $('sign-in').hidden = true;
  $('main').hidden = false;
  $('sign-out').hidden = false;
  watching = new AbortController();
  watch(watching.signal);
  lookAround(watching.signal);
}

function signOut(why = '') {
  watching?.abort();
  key.clear();
  before = null;
  $('detail').close();
  for (const id of ['main', 'sign-out', 'state', 'node']) {
    $(id).hidden = true;
  }
  $('sign-in').hidden = false;
  $('sign-in-error').hidden = why === '';
  $('sign-in-error').textContent = why;
  $('key').focus();
}

$('sign-in-form').addEventListener('submit', (event) => {
  event.preventDefault();
  key.set($('key').value.trim());
  $('key').value = '';
  guarded(async () => {
    await look('channels', { part: '' });
    enter();
  });
});
$('sign-out').addEventListener('click', () => signOut());
$('channel-filter').addEventListener('input', () => guarded(showChannels));
$('connection-filter').addEventListener('input', () => guarded(showConnections));

if (key.get()) {
  enter();
} else {
  signOut();
}
