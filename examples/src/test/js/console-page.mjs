// The console page: two people chat, and whoever has the key sees them do it.
import assert from 'node:assert/strict';
import { closeBrowser, openPage, person, screenshot } from './browser.mjs';
import { publish, runAll, server, test, until, within } from './harness.mjs';

const KEY = process.env.FANFARE_API_KEY;

async function chat(context, name, options = {}) {
  const page = await openPage(context, `${server}/chat`, options);
  await page.getByLabel('Name').fill(name);
  await page.getByRole('button', { name: 'Come in' }).click();
  await page.locator('#state[data-state=connected]').waitFor();
  return page;
}

async function say(page, text) {
  await page.getByLabel('Message', { exact: true }).fill(text);
  await page.keyboard.press('Enter');
}

async function openConsole(context, options = {}) {
  const page = await openPage(context, `${server}/console/`, options);
  await page.getByLabel('API key').fill(KEY);
  await page.getByRole('button', { name: 'Look in' }).click();
  await page.locator('#state[data-state=up]').waitFor();
  return page;
}

const tile = (page, name) => page.locator('.tile', { hasText: name }).locator('.value').textContent();

test('two people chat, and the console shows them and what they say', async (context) => {
  const [ada, grace] = [person('ida'), person('gus')];
  const one = await chat(context, ada);
  const two = await chat(context, grace);
  const eye = await openConsole(context, { viewport: { width: 1280, height: 1080 } });
  await until('two connections', async () => Number(await tile(eye, 'Connections')) >= 2);
  await eye.locator('#connections tr', { hasText: ada }).waitFor();
  await eye.locator('#connections tr', { hasText: grace }).waitFor();
  const lobby = eye.locator('#channels tr', { hasText: 'chat:lobby' }).first();
  await lobby.waitFor();

  // A person would talk for a while; the page draws a minute of it.
  for (let i = 1; i <= 24; i++) {
    await say(i % 2 ? one : two, `line ${i}`);
    await publish('chat:lobby', ...Array.from({ length: i % 7 }, (_, j) => `bot ${i}.${j}`));
    await eye.waitForTimeout(250);
  }
  await until('a rate', async () => {
    await publish('chat:lobby', 'and on');
    return Number(await lobby.locator('td').nth(2).textContent()) > 0;
  });
  await screenshot(eye, 'console-light');

  await lobby.click();
  const detail = eye.locator('dialog[open]');
  await detail.getByText('and on').first().waitFor();
  await screenshot(eye, 'console-channel');
  await eye.keyboard.press('Escape');
  await eye.locator('#connections tr', { hasText: ada }).click();
  await detail.getByRole('button', { name: 'chat:lobby' }).waitFor();
  assert.ok((await detail.textContent()).includes('websocket/json'));
});

test('what the console publishes, people see', async (context) => {
  const one = await chat(context, person('ida'));
  const eye = await openConsole(context, { colorScheme: 'dark', viewport: { width: 1280, height: 1080 } });
  await eye.getByLabel('Channel', { exact: true }).fill('chat:lobby');
  await eye.getByLabel('Data, as JSON').fill('{"user": "console", "text": "the train is late"}');
  await eye.getByRole('button', { name: 'Publish' }).click();
  await eye.getByText(/Stored as #\d+/).waitFor();
  await one.locator('.message', { hasText: 'the train is late' }).waitFor();
  await screenshot(eye, 'console-dark');

  await eye.getByLabel('Data, as JSON').fill('{"user": ');
  await eye.getByRole('button', { name: 'Publish' }).click();
  await eye.getByText('That is not JSON.').waitFor();
});

test('what goes wrong is shown by its reason', async (context) => {
  const one = await chat(context, person('ida'));
  await one.close();
  await until('a client that left is counted', async () =>
    (await (await fetch(`${server}/metrics`)).text()).includes('fanfare_disconnects_total{reason="by_client"}'));
  const eye = await openConsole(context);
  await fetch(`${server}/api/info`, { method: 'POST', headers: { 'X-API-Key': 'guess' }, body: '{}' });

  await eye.locator('.bar-row', { hasText: 'wrong api key' }).waitFor();
  assert.equal(await eye.locator('.bar-row', { hasText: 'by client' }).count(), 0, 'who leaves is no trouble');
});

test('without the key there is nothing to see', async (context) => {
  const page = await openPage(context, `${server}/console/`);
  await page.getByLabel('API key').fill('guess');
  await page.getByRole('button', { name: 'Look in' }).click();
  await page.getByText('That is not the key.').waitFor();
  await screenshot(page, 'console-sign-in');

  for (const path of ['stream', 'channels', 'connections', 'subscriptions?client=x']) {
    assert.equal((await fetch(`${server}/api/console/${path}`)).status, 401, path);
  }
});

test('the key is kept for the tab, survives a reload, is in no address, and goes when signing out', async (context) => {
  const urls = [];
  const page = await openPage(context, `${server}/console/`);
  page.on('request', (request) => urls.push(request.url()));
  await page.getByLabel('API key').fill(KEY);
  await page.getByRole('button', { name: 'Look in' }).click();
  await page.locator('#state[data-state=up]').waitFor();
  await page.reload();
  await page.locator('#state[data-state=up]').waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Who may look?' }).waitFor();

  assert.equal(await page.evaluate(() => sessionStorage.length + localStorage.length), 0);
  assert.ok(urls.length > 3);
  assert.deepEqual(urls.filter((url) => new URL(url).search.includes(KEY)), []);
});

test('the page loads nothing from elsewhere, and may not', async () => {
  const response = await fetch(`${server}/console/`);
  const policy = response.headers.get('content-security-policy');

  assert.ok(policy.includes("default-src 'none'") && policy.includes("frame-ancestors 'none'"), policy);
  assert.ok(!/https?:\/\//.test(await response.text()));
});

test('it fits a phone', async (context) => {
  await chat(context, person('ida'));
  const page = await openConsole(context, { viewport: { width: 390, height: 844 } });
  await page.locator('#channels tr').first().waitFor();
  await screenshot(page, 'console-phone');

  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0);
});

await runAll({ timeout: 60_000, after: () => within(10_000, 'closing the browser', closeBrowser()) });
