// One chat on three nodes: a browser on each.
import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import { closeBrowser, openPage, person, screenshot } from './browser.mjs';
import { runAll, test, until, within } from './harness.mjs';

const nodes = process.env.FANFARE_URLS.split(',');

async function enter(context, base, name) {
  const page = await openPage(context, `${base}/chat`);
  await page.getByLabel('Name').fill(name);
  await page.getByRole('button', { name: 'Come in' }).click();
  await page.locator('#state[data-state=connected]').waitFor();
  return page;
}

const texts = (page) => page.locator('.message .text').allTextContents();
const people = (page) => page.locator('#people li[data-user] .who').allTextContents();

test('a browser on each of three nodes sees one chat', async (context) => {
  const names = ['ida', 'gus', 'eve'].map(person);
  const pages = [];
  for (const [i, base] of nodes.entries()) {
    pages.push(await enter(context, base, names[i]));
  }
  for (const page of pages) {
    await until('everybody is present on every node', async () => {
      const here = await people(page);
      return names.every((name) => here.includes(name));
    });
  }

  const said = [];
  for (let round = 1; round <= 4; round++) {
    for (const [i, page] of pages.entries()) {
      const text = `round ${round} from node ${i + 1}`;
      said.push(text);
      await page.getByLabel('Message', { exact: true }).fill(text);
      await page.keyboard.press('Enter');
      for (const other of pages) {
        await until(`"${text}" is everywhere`, async () => (await texts(other)).at(-1) === text);
      }
    }
  }

  for (const page of pages) {
    assert.deepEqual(await texts(page), said);
  }
  await screenshot(pages[2], 'three-nodes');
});

/** Has Redis do something, in the inline form of its protocol. */
function redis(command) {
  return new Promise((resolve, reject) => {
    const socket = createConnection(Number(process.env.FANFARE_REDIS_PORT), '127.0.0.1', () => socket.write(`${command}\r\n`));
    socket.once('data', (answer) => {
      socket.destroy();
      resolve(String(answer).trim());
    });
    socket.once('error', reject);
  });
}

test('who writes while Redis takes nothing sees that, and the message arrives once it does', async (context) => {
  const [one, two] = [await enter(context, nodes[0], person('ida')), await enter(context, nodes[1], person('gus'))];
  assert.equal(await redis('CONFIG SET maxmemory 1000000'), '+OK');
  await one.getByLabel('Message', { exact: true }).fill('written meanwhile');
  await one.keyboard.press('Enter');
  await one.locator('#state[data-state=troubled]', { hasText: 'Connected, but the server is in trouble' }).waitFor();
  await one.getByText('Waiting for the server').waitFor();
  await screenshot(one, 'chat-troubled');
  await until('health is red, and says why', async () => {
    const answer = await fetch(`${nodes[2]}/health/ready`);
    return answer.status === 503 && (await answer.text()).includes('writes are refused, OOM');
  });

  assert.equal(await redis('CONFIG SET maxmemory 0'), '+OK');

  await two.locator('.message .text', { hasText: 'written meanwhile' }).waitFor();
  await one.locator('#state[data-state=connected]', { hasText: 'Connected' }).waitFor();
  await until('health is green', async () => (await fetch(`${nodes[2]}/health/ready`)).ok);
});

await runAll({ timeout: 90_000, after: () => within(10_000, 'closing the browser', closeBrowser()) });
