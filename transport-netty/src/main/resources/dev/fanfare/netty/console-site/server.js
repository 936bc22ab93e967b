// Talks to the server. The key is kept for this tab only, and goes nowhere but into a header.
const KEY = 'fanfare-console-key';

export class WrongKey extends Error {}

export const key = {
  get: () => sessionStorage.getItem(KEY),
  set: (value) => sessionStorage.setItem(KEY, value),
  clear: () => sessionStorage.removeItem(KEY),
};

async function request(path, options = {}) {
  const response = await fetch(path, {
    ...options,
    cache: 'no-store',
    credentials: 'omit',
    headers: { 'X-API-Key': key.get() ?? '', 'Content-Type': 'application/json' },
  });
  if (response.status === 401) {
    throw new WrongKey('That is not the key.');
  }
  return response;
}

async function result(response) {
  const answer = await response.json();
  if (answer.error) {
    throw new Error(answer.error.message);
  }
  return answer.result;
}

export async function look(what, parameters = {}) {
  return result(await request(`../api/console/${what}?${new URLSearchParams(parameters)}`));
}

export async function call(method, body) {
  return result(await request(`../api/${method}`, { method: 'POST', body }));
}

/** Yields the totals as they come, until the stream ends. */
export async function* totals(signal) {
  const response = await request('../api/console/stream', { signal });
  if (!response.ok) {
    throw new Error(`The server answered ${response.status}`);
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) {
      return;
    }
    text += value;
    const events = text.split('\n\n');
    text = events.pop();
    for (const event of events) {
      if (event.startsWith('data: ')) {
        yield JSON.parse(event.slice(6));
      }
    }
  }
}
