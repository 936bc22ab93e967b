// Chromium, driven without downloading one. Every page that reports an error on its console fails its test.
import { chromium } from 'playwright-core';
import { fresh } from './harness.mjs';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const screenshots = process.env.SCREENSHOTS ?? '.';
const isRoot = process.getuid?.() === 0;

let browser = null;

export async function closeBrowser() {
  await browser?.close();
}

/** Opens a page in a browser context of its own, as another person's browser would. */
export async function openPage(context, url, options = {}) {
  browser ??= await chromium.launch({ executablePath, args: isRoot ? ['--no-sandbox'] : [] });
  const session = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB', ...options });
  const page = await session.newPage();
  page.setDefaultTimeout(10_000);
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.stack ?? String(error)));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  context.cleanUp(async () => {
    await session.close();
    // A cut network, a refused stream and a refused sign-in show on the console by nature.
    const bad = errors.filter((text) => !/ERR_|WebSocket connection|status of 4\d\d/.test(text));
    if (bad.length > 0) {
      throw new Error(`errors on the page: ${bad.join('\n')}`);
    }
  });
  await page.goto(url);
  return page;
}

export async function screenshot(page, name) {
  await page.screenshot({ path: `${screenshots}/${name}.png`, animations: 'disabled' });
}

/** Makes a name that a person could have. */
export function person(name) {
  return fresh(name).replace(`-${process.pid}`, '');
}
