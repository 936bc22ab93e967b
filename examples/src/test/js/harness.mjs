// A small test runner that tells the JUnit test which started it how each test went, one line of JSON each.
import assert from 'node:assert/strict';
import net from 'node:net';

const tests = [];

/** Where the server is, such as http://127.0.0.1:4711. */
export const server = process.env.FANFARE_URL;

/** Adds a test; its name is a sentence. */
export function test(name, run) {
  tests.push({ name, run });
}

/** Runs all tests one after the other, then ends the process. With SHARE=1/2 it runs every second one, beginning with the first. */
export async function runAll({ timeout = 30_000, after = async () => {} } = {}) {
  const only = process.env.ONLY ?? '';
  const [share, shares] = (process.env.SHARE ?? '1/1').split('/').map(Number);
  const mine = tests.filter(({ name }, i) => i % shares === share - 1 && name.includes(only));
  for (const { name, run } of mine) {
    const cleanUps = [];
    const started = performance.now();
    let failure = null;
    try {
      await within(timeout, name, run({ cleanUp: (action) => cleanUps.push(action) }));
    } catch (error) {
      failure = error?.stack ?? JSON.stringify(error);
    }
    for (const action of cleanUps.reverse()) {
      try {
        await action();
      } catch (error) {
        failure ??= `while cleaning up: ${error.stack}`;
      }
    }
    const millis = Math.round(performance.now() - started);
    console.log(`##test ${JSON.stringify({ name, failure, millis })}`);
  }
  await after();
  process.exit(0);
}

// A client that fails in the background fails the test run, rather than to be overlooked.
process.on('unhandledRejection', (error) => {
  console.log(`##test ${JSON.stringify({ name: 'nothing fails unseen', failure: error?.stack ?? JSON.stringify(error), millis: 0 })}`);
});

/** Waits for a promise, but not forever. */
export function within(millis, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${millis} ms: ${what}`)), millis);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Waits until a condition holds, and returns what it returned. */
export async function until(what, condition, millis = 10_000) {
  const end = performance.now() + millis;
  for (;;) {
    const value = await condition();
    if (value) {
      return value;
    }
    if (performance.now() > end) {
      throw new Error(`not within ${millis} ms: ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Calls the server API. */
export async function api(method, body) {
  const response = await fetch(`${server}/api/${method}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-API-Key': process.env.FANFARE_API_KEY ?? 'test' },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  assert.equal(response.status, 200, `${method}: ${JSON.stringify(answer)}`);
  return answer.result ?? answer;
}

/** Publishes some texts to a channel, one after the other. */
export async function publish(channel, ...texts) {
  for (const text of texts) {
    await api('publish', { channel, data: { user: 'bot', text } });
  }
}

let names = 0;

/** Makes a name that no other test uses. */
export function fresh(prefix) {
  return `${prefix}-${process.pid}-${++names}`;
}

/** Passes TCP connections on to the server, until it is told to cut them or to let nobody in. */
export class Proxy {
  #target = new URL(server);
  #sockets = new Set();
  #open = true;
  #deaf = false;
  #listener = net.createServer((near) => this.#accept(near));

  static async start() {
    const proxy = new Proxy();
    await new Promise((resolve) => proxy.#listener.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url() {
    return `http://127.0.0.1:${this.#listener.address().port}`;
  }

  #accept(near) {
    if (!this.#open) {
      near.destroy();
      return;
    }
    const far = net.connect(Number(this.#target.port), this.#target.hostname);
    for (const [one, other] of [[near, far], [far, near]]) {
      this.#sockets.add(one);
      one.setNoDelay(true);
      one.on('error', () => {});
      one.on('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
    near.on('data', (chunk) => far.write(chunk));
    far.on('data', (chunk) => this.#deaf || near.write(chunk));
  }

  /** Lets nothing through to the clients any more; what they send still arrives. */
  deafen() {
    this.#deaf = true;
  }

  /** Cuts everything and refuses new connections. */
  cut() {
    this.#open = false;
    for (const socket of [...this.#sockets]) {
      socket.resetAndDestroy();
    }
  }

  /** Lets connections pass again. */
  mend() {
    this.#open = true;
    this.#deaf = false;
  }

  async close() {
    this.cut();
    await new Promise((resolve) => this.#listener.close(resolve));
  }
}
