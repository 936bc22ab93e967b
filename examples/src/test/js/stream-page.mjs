// The pages that need no client library: the event stream, and the landing page.
import assert from 'node:assert/strict';
import { closeBrowser, openPage, screenshot } from './browser.mjs';
import { Proxy, api, publish, runAll, server, test, until, within } from './harness.mjs';

const says = (page) => page.locator('.event .says').allTextContents();
const lastId = (page) => page.locator('#last-id').textContent();

async function open(context, { base = server, room = 'lobby', ...options } = {}) {
  const page = await openPage(context, `${base}/stream#${room}`, options);
  await page.locator('#state[data-state=connected]').waitFor();
  return page;
}

/** Waits for the page to say so; if it does not, tells what it says instead. */
async function saysOfItself(page, status) {
  try {
    await page.locator('#status', { hasText: status }).waitFor({ timeout: 30_000 });
  } catch (late) {
    throw new Error(`the page says "${await page.locator('#status').textContent()}", and not: ${status}`, { cause: late });
  }
}

async function shows(page, text) {
  await page.locator('.event', { hasText: text }).first().waitFor();
}

test('an empty room says so, until something is said', async (context) => {
  const page = await open(context, { room: 'engineering' });
  await page.getByText('Nothing said in this room yet.').waitFor();
  await screenshot(page, 'stream-empty');
  await publish('chat:engineering', 'something');
  await shows(page, 'something');

  assert.equal(await page.locator('#hush').isHidden(), true);
});

test('the stream shows what was said, then what is new, each with its id', async (context) => {
  await publish('chat:engineering', 'first', 'second');
  const page = await open(context, { room: 'engineering' });
  await publish('chat:engineering', 'third');
  await shows(page, 'third');

  assert.deepEqual((await says(page)).slice(-3), ['botfirst', 'botsecond', 'botthird']);
  const ids = await page.locator('.event .id').allTextContents();
  assert.ok(ids.every((id) => /^id: \S+$/.test(id)), ids.join());
  assert.equal(await page.locator('#received').textContent(), String((await says(page)).length));
});

test('closing and reopening with the last id brings what was missed', async (context) => {
  const page = await open(context);
  await publish('chat:lobby', 'before');
  await shows(page, 'before');
  const id = await lastId(page);
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await publish('chat:lobby', 'missed 1', 'missed 2');
  await page.getByRole('button', { name: 'Close and reopen with the last id' }).click();
  await saysOfItself(page, `Resumed with cursor ${id}: 2 received`);
  await screenshot(page, 'stream-light');

  assert.deepEqual((await says(page)).slice(-3), ['botbefore', 'botmissed 1', 'botmissed 2']);
});

test('after a cut the browser resumes by itself with Last-Event-ID', async (context) => {
  const proxy = await Proxy.start();
  context.cleanUp(() => proxy.close());
  const page = await open(context, { base: proxy.url, colorScheme: 'dark' });
  await publish('chat:lobby', 'before the cut'); // and not what another test said before
  await shows(page, 'before the cut');
  const id = await lastId(page);
  proxy.cut();
  await page.locator('#state[data-state=connecting]').waitFor();
  await publish('chat:lobby', 'missed 1', 'missed 2', 'missed 3');
  proxy.mend();
  await saysOfItself(page, `Resumed with Last-Event-ID ${id}: 3 received`);
  await screenshot(page, 'stream-dark');

  assert.deepEqual((await says(page)).slice(-4), ['botbefore the cut', 'botmissed 1', 'botmissed 2', 'botmissed 3']);
  assert.equal(await page.locator('#resets').textContent(), '0');
});

test('an id of another life is answered with a visible reset', async (context) => {
  const page = await open(context);
  await page.getByRole('button', { name: 'Try an unknown id' }).click();
  await page.locator('.event.reset').waitFor();
  await publish('chat:lobby', 'goes on');
  await shows(page, 'goes on');
  await screenshot(page, 'stream-reset');

  assert.match(await page.locator('.event.reset').textContent(), /^reset: EPOCH/);
  assert.match(await page.locator('#status').textContent(), /got a reset: EPOCH/);
  assert.equal(await page.locator('#resets').textContent(), '1');
});

test('a room that is not theirs is refused', async (context) => {
  const page = await openPage(context, `${server}/stream#leads`);

  await page.locator('#state[data-state=disconnected]', { hasText: 'Refused' }).waitFor();
  assert.match(await page.locator('#status').textContent(), /Sign in to the chat as ada or grace first/);
  assert.match(await page.locator('#curl-note').textContent(), /needs a token/);
});

test('publications with an event type are shown too', async (context) => {
  const page = await open(context);
  await api('publish', { channel: 'chat:lobby', event: 'edited', data: { user: 'bot', text: 'with a type' } });

  await shows(page, 'with a type');
});

test('whoever is signed in reads the rooms that are theirs', async (context) => {
  const page = await openPage(context, `${server}/chat#leads`);
  await page.getByLabel('Name').fill('grace');
  await page.getByRole('button', { name: 'Come in' }).click();
  await page.locator('#state[data-state=connected]').waitFor();
  await publish('chat:leads', 'between us');
  await page.goto(`${server}/stream#leads`);
  await shows(page, 'between us');

  const token = await page.evaluate(() => sessionStorage.getItem('fanfare-demo-token'));
  const command = page.locator('#curl');
  assert.ok(!(await command.textContent()).includes(token), 'the token is not shown');
  assert.match(await command.getAttribute('data-copy'), new RegExp(`^curl -N -H 'Authorization: Bearer ${token}' 'http`));
  await screenshot(page, 'stream-leads');
});

test('the stream fits a phone', async (context) => {
  const page = await open(context, { viewport: { width: 390, height: 780 } });
  await publish('chat:lobby', 'a line that is rather longer than the narrow screen of a phone can show at once');
  await shows(page, 'rather longer');
  await screenshot(page, 'stream-phone');

  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0);
});

test('the landing page shows the lobby live, and names this server in its commands', async (context) => {
  const page = await openPage(context, `${server}/`);
  await page.locator('#state[data-state=connected]').waitFor();
  await api('publish', { channel: 'chat:lobby', data: { user: 'curl', text: 'hello from the terminal' } });
  await page.locator('#feed li', { hasText: 'hello from the terminal' }).waitFor();
  await screenshot(page, 'landing-light');

  const commands = await page.locator('.command code').allTextContents();
  assert.equal(commands.length, 3);
  assert.ok(commands.every((command) => command.includes(server)), commands.join('\n'));
  for (const [name, path] of [['Open the team chat', '/chat'], ['Open the event stream', '/stream']]) {
    assert.equal(await page.getByRole('link', { name }).getAttribute('href'), path);
  }
});

test('the landing page in the dark, and on a phone', async (context) => {
  const dark = await openPage(context, `${server}/`, { colorScheme: 'dark' });
  await dark.locator('#state[data-state=connected]').waitFor();
  await screenshot(dark, 'landing-dark');
  const phone = await openPage(context, `${server}/`, { viewport: { width: 390, height: 780 } });
  await until('shown', async () => (await phone.locator('#feed li').count()) > 0);
  const widths = await phone.locator('.command pre').evaluateAll((all) => all.map((pre) => pre.scrollWidth - pre.clientWidth));
  assert.deepEqual(widths, [0, 0, 0], 'commands are wrapped, and not cut off');
  await phone.screenshot({ path: `${process.env.SCREENSHOTS ?? '.'}/landing-phone.png`, fullPage: true });

  assert.equal(await phone.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0);
});

await runAll({ timeout: 60_000, after: () => within(10_000, 'closing the browser', closeBrowser()) });
