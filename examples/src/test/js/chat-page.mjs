// The chat as people use it: two browsers, one room, and a network that is cut.
import assert from 'node:assert/strict';
import { closeBrowser, openPage, person, screenshot } from './browser.mjs';
import { Proxy, api, publish, runAll, server, test, until, within } from './harness.mjs';

/** Signs in under a name; base may be a proxy. */
async function enter(context, name, { base = server, room = '', ...options } = {}) {
  const page = await openPage(context, `${base}/chat${room ? `#${room}` : ''}`, options);
  await page.getByLabel('Name').fill(name);
  await page.getByRole('button', { name: 'Come in' }).click();
  await page.locator('#state[data-state=connected]').waitFor();
  await page.locator('#people li[data-user], #hush b').first().waitFor(); // the room is open, or refused: before, nothing can be resumed
  return page;
}

async function say(page, text) {
  await page.getByLabel('Message', { exact: true }).fill(text);
  await page.keyboard.press('Enter');
}

const texts = (page) => page.locator('.message .text').allTextContents();
const people = (page) => page.locator('#people li[data-user] .who').allTextContents();

/** Waits until the last messages are these. */
async function sees(page, ...expected) {
  let last;
  try {
    await until('', async () => {
      last = (await texts(page)).slice(-expected.length);
      return JSON.stringify(last) === JSON.stringify(expected);
    });
  } catch {
    assert.deepEqual(last, expected);
  }
}

/** Waits until a message is no longer on its way. */
const settled = (page) => page.locator('.message[data-state]').first().waitFor({ state: 'detached' });

async function throughProxy(context) {
  const proxy = await Proxy.start();
  context.cleanUp(() => proxy.close());
  return proxy;
}

test('two people talk, see each other, and see who is typing', async (context) => {
  const [ada, grace] = [person('ida'), person('gus')];
  const one = await enter(context, ada, { colorScheme: 'dark' });
  const two = await enter(context, grace);
  await until('both see both', async () =>
    (await Promise.all([one, two].map(people))).every((names) => names.includes(ada) && names.includes(grace)));
  await one.locator('.note', { hasText: `${grace} came in` }).waitFor();

  await say(one, 'Morning! The release train leaves at ten.');
  await sees(two, 'Morning! The release train leaves at ten.');
  await say(two, 'On it. Notes are in the usual place.');
  await sees(one, 'Morning! The release train leaves at ten.', 'On it. Notes are in the usual place.');
  await sees(two, 'Morning! The release train leaves at ten.', 'On it. Notes are in the usual place.');
  await say(one, 'Thanks.');
  await sees(two, 'Thanks.');
  await say(one, 'Two lines?\nTwo lines.');
  await sees(two, 'Two lines?\nTwo lines.');
  await two.getByLabel('Message', { exact: true }).pressSequentially('I am');
  await one.locator('#typing', { hasText: `${grace} is typing…` }).waitFor();
  await screenshot(one, 'chat-dark');
  await screenshot(two, 'chat-light');
  await say(two, 'I am writing');
  await sees(one, 'I am writing');

  assert.equal(await one.locator('#typing').textContent(), '', 'whoever has sent is no longer typing');
  assert.ok(!(await two.locator('#typing').textContent()).includes(grace), 'nobody is told of himself');
});

test('somebody who goes to another room leaves this one', async (context) => {
  const [ada, grace] = [person('ida'), person('gus')];
  const one = await enter(context, ada);
  const two = await enter(context, grace);
  await until('grace is there', async () => (await people(one)).includes(grace));
  await two.getByRole('button', { name: 'Engineering' }).click();
  await one.locator('.note', { hasText: `${grace} left` }).waitFor();

  await until('grace is gone', async () => !(await people(one)).includes(grace));
});

test('a reload makes no noise and loses no name', async (context) => {
  const [ada, grace] = [person('ida'), person('gus')];
  const one = await enter(context, ada);
  const two = await enter(context, grace);
  await until('grace is there', async () => (await people(one)).includes(grace));
  await two.reload();
  await two.locator('#state[data-state=connected]').waitFor();
  await say(two, `back as ${grace}`);
  await sees(one, `back as ${grace}`);

  assert.equal(await two.locator('#me').textContent(), `${grace[0].toUpperCase()}${grace}`);
  assert.equal(await one.locator('.note', { hasText: `${grace} left` }).count(), 0);
  assert.equal(await one.locator('.note', { hasText: `${grace} came in` }).count(), 1);
});

test('whoever comes later reads the last fifty, and can go on reading back', async (context) => {
  await publish('chat:engineering', ...Array.from({ length: 120 }, (_, i) => `entry ${i + 1}`));
  const page = await enter(context, person('eve'), { room: 'engineering' });
  await sees(page, 'entry 119', 'entry 120');
  const first = await texts(page);
  await page.locator('#scroll').evaluate((element) => (element.scrollTop = 0));
  await page.getByRole('button', { name: 'Show older messages' }).click();
  await until('a hundred', async () => (await texts(page)).length === 100);
  const second = await texts(page);
  await page.getByRole('button', { name: 'Show older messages' }).click();
  await until('all', async () => (await texts(page)).length === 120);

  assert.deepEqual(first, Array.from({ length: 50 }, (_, i) => `entry ${i + 71}`));
  assert.deepEqual(second, Array.from({ length: 100 }, (_, i) => `entry ${i + 21}`));
  assert.deepEqual(await texts(page), Array.from({ length: 120 }, (_, i) => `entry ${i + 1}`));
  await page.getByRole('button', { name: 'Show older messages' }).waitFor({ state: 'hidden' });
});

test('a room that is not theirs is refused, in words', async (context) => {
  const page = await enter(context, person('mallory'));
  await page.getByRole('button', { name: /^Leads/ }).click();
  await page.getByText('You have no access to this room').waitFor();
  await screenshot(page, 'chat-refused');

  assert.equal(await page.getByLabel('Message', { exact: true }).isDisabled(), true);
  assert.deepEqual(await people(page), []);
  await page.getByRole('button', { name: 'Lobby' }).click();
  assert.equal(await page.getByLabel('Message', { exact: true }).isDisabled(), false);
});

test('ada may enter the leads, and nobody else as ada', async (context) => {
  const ada = await enter(context, 'Ada', { room: 'leads' });
  await say(ada, 'only for grace');
  await sees(ada, 'only for grace');
  const other = await openPage(context, `${server}/chat`);
  await screenshot(other, 'chat-sign-in');
  await other.getByLabel('Name').fill('ADA');
  await other.getByRole('button', { name: 'Come in' }).click();

  await other.getByText('Pick another one.').waitFor();
});

test('a message is text and never markup', async (context) => {
  const page = await enter(context, person('mallory'));
  const markup = '<img src=x onerror="document.title=\'owned\'"><b>bold</b>';
  await say(page, markup);
  await sees(page, markup);
  await publish('chat:lobby', markup);
  await sees(page, markup, markup);

  assert.equal(await page.locator('.message img, .message b').count(), 0);
  assert.equal(await page.title(), 'Team chat – Fanfare');
});

test('a message shows at once, waits for the network, goes out by itself, and is there once', async (context) => {
  const proxy = await throughProxy(context);
  const one = await enter(context, person('ida'), { base: proxy.url });
  const two = await enter(context, person('gus'));
  await say(two, 'before the cut');
  await sees(one, 'before the cut');
  proxy.cut();
  await one.locator('#state[data-state=connecting]').waitFor();
  await say(one, 'written while offline');
  await one.locator('.message[data-state=waiting]', { hasText: 'written while offline' }).waitFor();
  await screenshot(one, 'chat-waiting');
  proxy.mend();
  await sees(two, 'before the cut', 'written while offline');
  await settled(one);
  await say(two, 'after');

  await sees(one, 'before the cut', 'written while offline', 'after');
  await sees(two, 'before the cut', 'written while offline', 'after');
});

/** How often the lobby's history holds a text. */
async function countInHistory(text) {
  const { publications } = await api('history', { channel: 'chat:lobby', limit: 200, reverse: true });
  return publications.filter(({ data }) => data.text === text).length;
}

test('a message whose answer was lost is not sent again if the channel brings it back', async (context) => {
  const proxy = await throughProxy(context);
  const one = await enter(context, person('ida'), { base: proxy.url });
  const two = await enter(context, person('gus'));
  const text = `did it arrive? ${person('x')}`;
  // What one sends still arrives; nothing comes back any more: neither the answer nor the message itself.
  proxy.deafen();
  await say(one, text);
  await sees(two, text);
  await one.locator('.message[data-state]', { hasText: text }).waitFor();
  proxy.cut();
  await one.locator('#state[data-state=connecting]').waitFor();
  proxy.mend();
  await one.locator('#banner', { hasText: 'Resumed, 1 missed' }).waitFor();
  await settled(one);
  await say(two, 'yes, once');

  await sees(one, text, 'yes, once');
  assert.equal(await countInHistory(text), 1);
});

test('a message whose answer was lost is sent again, and the server does not double it', async (context) => {
  const proxy = await throughProxy(context);
  const one = await enter(context, person('ida'), { base: proxy.url });
  const two = await enter(context, person('gus'));
  const text = `did it arrive? ${person('x')}`;
  const calls = [];
  one.on('websocket', (socket) => socket.on('framesent', ({ payload }) => payload.includes('chat.send') && calls.push(payload)));
  await one.reload(); // so that the sockets from now on are watched
  await one.locator('#state[data-state=connected]').waitFor();
  proxy.deafen();
  await say(one, text);
  await sees(two, text);
  proxy.cut();
  await one.locator('#state[data-state=connecting]').waitFor();
  // In another room nothing of the lobby comes back, so that only sending again can tell.
  await one.getByRole('button', { name: 'Engineering' }).click();
  proxy.mend();
  await until('sent twice', () => calls.length === 2);
  await one.getByRole('button', { name: 'Lobby' }).click();
  await sees(one, text);
  await say(two, 'once');

  await sees(one, text, 'once');
  await sees(two, text, 'once');
  assert.equal(await countInHistory(text), 1);
});

test('a message that is sent five times at once is there once', async (context) => {
  const page = await enter(context, person('ida'));
  const text = `again and again ${person('x')}`;
  await page.evaluate(() => {
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (data) {
      send.call(this, data);
      for (let i = 1; i <= 4 && data.includes('chat.send'); i++) {
        send.call(this, data.replace(/"id":(\d+)/, (_, id) => `"id":${Number(id) + 1000 * i}`)); // nobody waits for the answer
      }
    };
  });
  await say(page, text);
  await settled(page);
  await say(page, `after ${text}`);
  await sees(page, text, `after ${text}`);

  assert.equal(await countInHistory(text), 1);
});

test('a message that the server refuses says why, and can be given up', async (context) => {
  const page = await enter(context, person('ida'));
  await page.evaluate(() => {
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (data) {
      send.call(this, data.replace('"room":"lobby"', '"room":"leads"'));
    };
  });
  await say(page, 'to the wrong room');
  const message = page.locator('.message[data-state=failed]', { hasText: 'to the wrong room' });
  await message.getByText('Not sent: You cannot write in this room.').waitFor();
  await screenshot(page, 'chat-failed');
  await message.getByRole('button', { name: 'Discard' }).click();

  await message.waitFor({ state: 'detached' });
});

test('after a cut it says "resumed, 3 missed", and shows them once, in order', async (context) => {
  const proxy = await throughProxy(context);
  const one = await enter(context, person('ida'), { base: proxy.url });
  const two = await enter(context, person('gus'));
  await say(two, 'before');
  await sees(one, 'before');
  proxy.cut();
  await one.locator('#state[data-state=connecting]').waitFor();
  for (const text of ['missed 1', 'missed 2', 'missed 3']) {
    await say(two, text);
    await sees(two, text);
  }
  await screenshot(one, 'chat-reconnecting');
  proxy.mend();
  await one.locator('#banner', { hasText: 'Resumed, 3 missed' }).waitFor();
  await screenshot(one, 'chat-resumed');
  await say(two, 'after');

  await sees(one, 'before', 'missed 1', 'missed 2', 'missed 3', 'after');
  assert.equal(await one.locator('.message.missed').count(), 3);
});

test('after a cut in which nothing was said it says "resumed, 0 missed"', async (context) => {
  const proxy = await throughProxy(context);
  const page = await enter(context, person('ida'), { base: proxy.url });
  proxy.cut();
  await page.locator('#state[data-state=connecting]').waitFor();
  proxy.mend();

  await page.locator('#banner', { hasText: 'Resumed, 0 missed' }).waitFor();
});

test('while there is no connection, nothing on the page says otherwise', async (context) => {
  const proxy = await throughProxy(context);
  const page = await enter(context, person('ida'), { base: proxy.url });
  proxy.cut();
  await page.locator('#state[data-state=connecting]').waitFor();
  await page.locator('#people.stale').waitFor();
  assert.equal(await page.locator('#people-label').textContent(), 'Before the cut');
  await screenshot(page, 'chat-stale');
  proxy.mend();
  await page.locator('#banner', { hasText: 'Resumed, 0 missed' }).waitFor();
  await page.locator('#people:not(.stale) li[data-user]').first().waitFor();
  assert.equal(await page.locator('#people-label').textContent(), 'Here now');
  proxy.cut();

  await page.locator('#state[data-state=connecting]').waitFor();
  assert.equal(await page.locator('#banner').isHidden(), true, 'the banner of the last resume is gone');
});

test('what comes by the API has the time at which it came', async (context) => {
  const page = await enter(context, person('ida'));
  const text = `by curl ${person('x')}`;
  await publish('chat:lobby', text);

  const message = page.locator('.message', { hasText: text });
  await message.waitFor();
  assert.equal(await message.locator('time').count(), 1);
});

test('the browser being offline is a cut like any other', async (context) => {
  const one = await enter(context, person('ida'));
  const two = await enter(context, person('gus'));
  await one.context().setOffline(true);
  await one.locator('#state[data-state=connecting]').waitFor();
  await say(two, 'said meanwhile');
  await sees(two, 'said meanwhile');
  await one.context().setOffline(false);
  await one.locator('#banner', { hasText: 'Resumed, 1 missed' }).waitFor();

  await sees(one, 'said meanwhile');
});

test('too long away: the history was lost, is reloaded, and has no hole', async (context) => {
  const proxy = await throughProxy(context);
  const page = await enter(context, person('ida'), { base: proxy.url, room: 'engineering' });
  await say(page, 'before');
  await sees(page, 'before');
  proxy.cut();
  await page.locator('#state[data-state=connecting]').waitFor();
  await publish('chat:engineering', ...Array.from({ length: 310 }, (_, i) => `long ago ${i + 1}`));
  proxy.mend();
  await page.locator('#banner', { hasText: 'Could not be resumed, reloaded' }).waitFor();
  const newest = Array.from({ length: 50 }, (_, i) => `long ago ${i + 261}`);
  await sees(page, ...newest);
  await publish('chat:engineering', 'now');

  await sees(page, ...newest, 'now');
  assert.equal((await texts(page)).includes('before'), false);
  await screenshot(page, 'chat-reset');
});

test('the button that has the server drop this user resumes', async (context) => {
  const page = await enter(context, person('ida'));
  await page.getByRole('button', { name: 'Drop my connection' }).click();

  await page.locator('#banner', { hasText: 'Resumed, 0 missed' }).waitFor();
  await page.locator('#state[data-state=connected]').waitFor();
});

test('signing out leads back to the sign-in and frees the name', async (context) => {
  const name = person('ida');
  const page = await enter(context, name);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Who are you?' }).waitFor();

  await enter(context, name);
});

test('whoever is signed out elsewhere is led back to the sign-in, and told why', async (context) => {
  const page = await enter(context, person('ida'));
  const token = await page.evaluate(() => sessionStorage.getItem('fanfare-demo-token'));
  await fetch(`${server}/demo/sign-out`, { method: 'POST', headers: { Authorization: `Bearer ${token}` } });

  await page.getByText('You were signed out, or the server was started anew. Come in again.').waitFor();
});

test('a server that forgot who we are is told again, and what waited goes out', async (context) => {
  const proxy = await throughProxy(context);
  const name = person('ida');
  const page = await enter(context, name, { base: proxy.url });
  const token = await page.evaluate(() => sessionStorage.getItem('fanfare-demo-token'));
  proxy.cut();
  await page.locator('#state[data-state=connecting]').waitFor();
  await say(page, `written while it was gone by ${name}`);
  await page.getByText('Waiting for the server').waitFor();
  await publish('chat:lobby', 'said meanwhile');
  await fetch(`${server}/demo/sign-out`, { method: 'POST', headers: { Authorization: `Bearer ${token}` } });
  proxy.mend();
  await page.locator('#banner', { hasText: 'Resumed, 1 missed' }).waitFor();
  await settled(page);

  await sees(page, 'said meanwhile', `written while it was gone by ${name}`);
  assert.equal(await page.locator('#me').textContent(), `${name[0].toUpperCase()}${name}`);
});

test('what was written offline comes in the order in which it was written', async (context) => {
  const proxy = await throughProxy(context);
  const name = person('ida');
  const page = await enter(context, name, { base: proxy.url, room: 'engineering' });
  const reader = await enter(context, person('gus'), { room: 'engineering' });
  const written = Array.from({ length: 12 }, (_, i) => `${name} wrote ${i + 1}`);
  proxy.cut();
  await page.locator('#state[data-state=connecting]').waitFor();
  for (const text of written) {
    await say(page, text);
  }
  proxy.mend();

  await sees(reader, ...written);
  await settled(page);
  await sees(page, ...written);
});

test('a draft stays in its room', async (context) => {
  const page = await enter(context, person('ida'));
  const message = page.getByLabel('Message', { exact: true });
  await message.fill('half a thou');
  await page.getByRole('button', { name: 'Engineering' }).click();
  assert.equal(await message.inputValue(), '');
  await page.getByRole('button', { name: 'Lobby' }).click();

  assert.equal(await message.inputValue(), 'half a thou');
});

test('it fits a phone', async (context) => {
  const name = person('ida');
  const page = await enter(context, name, { viewport: { width: 390, height: 780 } });
  await say(page, 'from the train, with a thumb, and a sentence that is longer than one line of it');
  await settled(page);
  await screenshot(page, 'chat-phone');
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

  assert.equal(overflow, 0);
  assert.equal(await page.locator(`#people li[data-user="${name}"] .who`).isVisible(), true, 'people have names');
  await page.getByLabel('Message', { exact: true }).waitFor();
});

test('the newest message stays in sight when the window shrinks', async (context) => {
  await publish('chat:engineering', ...Array.from({ length: 30 }, (_, i) => `line ${i + 1}`));
  const page = await enter(context, person('ida'), { room: 'engineering', viewport: { width: 1200, height: 900 } });
  await sees(page, 'line 30');

  await page.setViewportSize({ width: 700, height: 480 });

  const newest = page.locator('.message').last();
  await until('the newest is in sight', () =>
    newest.evaluate((message) => {
      const frame = document.querySelector('#scroll').getBoundingClientRect();
      const { top, bottom } = message.getBoundingClientRect();
      return top >= frame.top && bottom <= frame.bottom + 1;
    }));
});

test('everything can be reached and done with the keyboard', async (context) => {
  const page = await openPage(context, `${server}/chat`);
  await page.keyboard.type(person('ida'));
  await page.keyboard.press('Enter');
  await page.locator('#state[data-state=connected]').waitFor();
  await page.keyboard.type('no mouse');
  await page.keyboard.press('Enter');
  await sees(page, 'no mouse');
  const reached = new Set();
  for (let i = 0; i < 14; i++) {
    await page.keyboard.press('Tab');
    reached.add(await page.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.id));
  }

  for (const part of ['Lobby', 'Engineering', 'Go offline for 10 s', 'Drop my connection', 'Sign out']) {
    assert.ok([...reached].some((text) => text.includes(part)), `${part} in ${[...reached].join(' | ')}`);
  }
});

test('a flood of messages arrives whole and in order', async (context) => {
  const page = await enter(context, person('ida'), { room: 'engineering' });
  const sent = Array.from({ length: 300 }, (_, i) => `flood ${i + 1}`);
  for (let i = 0; i < sent.length; i += 20) {
    await publish('chat:engineering', ...sent.slice(i, i + 20));
  }
  await sees(page, ...sent.slice(-100));

  assert.deepEqual((await texts(page)).filter((text) => text.startsWith('flood')), sent);
});

await runAll({ timeout: 60_000, after: () => within(10_000, 'closing the browser', closeBrowser()) });
