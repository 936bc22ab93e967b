// What a plain EventSource sees, through cuts.
import assert from 'node:assert/strict';
import { EventSource } from 'eventsource';
import { Proxy, fresh, publish, runAll, server, test, until } from './harness.mjs';

/** Follows a stream and keeps everything that came. */
class Reader {
  constructor(context, query, base = server) {
    this.opened = 0;
    this.messages = [];
    this.resets = [];
    this.source = new EventSource(`${base}/sse?${new URLSearchParams(query)}`);
    this.source.onopen = () => this.opened++;
    this.source.onmessage = (event) => this.messages.push({ data: JSON.parse(event.data), id: event.lastEventId });
    this.source.addEventListener('reset', (event) => this.resets.push(event.data));
    this.source.onerror = () => {};
    context.cleanUp(() => this.source.close());
  }

  static async open(...parameters) {
    const reader = new Reader(...parameters);
    await until('open', () => reader.opened === 1);
    return reader;
  }

  async received(count) {
    await until(`${count} events, there are ${this.messages.length}`, () => this.messages.length >= count);
    return this.texts;
  }

  get texts() {
    return this.messages.map((message) => message.data.text);
  }
}

test('data is what was published, and every event has an id', async (context) => {
  const channel = fresh('room:sse');
  const reader = await Reader.open(context, { channel });
  await publish(channel, 'one', 'two');
  await reader.received(2);

  assert.deepEqual(reader.messages.map((message) => message.data), [{ user: 'bot', text: 'one' }, { user: 'bot', text: 'two' }]);
  assert.ok(reader.messages.every((message) => message.id !== ''));
  assert.notEqual(reader.messages[0].id, reader.messages[1].id);
});

test('history comes first, then what is new', async (context) => {
  const channel = fresh('room:sse');
  await publish(channel, 'one', 'two', 'three');
  const reader = await Reader.open(context, { channel, history: 2 });
  await publish(channel, 'four');

  assert.deepEqual(await reader.received(3), ['two', 'three', 'four']);
});

test('after a cut it reconnects by itself and misses nothing', async (context) => {
  const channel = fresh('room:sse');
  const proxy = await Proxy.start();
  context.cleanUp(() => proxy.close());
  const reader = await Reader.open(context, { channel }, proxy.url);
  await publish(channel, 'one');
  await reader.received(1);
  proxy.cut();
  await publish(channel, 'two', 'three');
  proxy.mend();
  await until('open again', () => reader.opened === 2, 20_000);
  await publish(channel, 'four');

  assert.deepEqual(await reader.received(4), ['one', 'two', 'three', 'four']);
  assert.deepEqual(reader.resets, []);
});

test('a cursor in the query resumes as Last-Event-ID does', async (context) => {
  const channel = fresh('room:sse');
  const first = await Reader.open(context, { channel });
  await publish(channel, 'one', 'two');
  await first.received(2);
  const second = await Reader.open(context, { channel, cursor: first.messages[0].id });

  assert.deepEqual(await second.received(1), ['two']);
});

test('a cursor that cannot be continued is answered with a reset that says why', async (context) => {
  const channel = fresh('short:sse');
  const first = await Reader.open(context, { channel });
  await publish(channel, '1');
  await first.received(1);
  await publish(channel, '2', '3', '4', '5', '6');
  const second = await Reader.open(context, { channel, cursor: first.messages[0].id });
  await until('the reset', () => second.resets.length === 1);
  await publish(channel, '7');
  await until('the next one', () => second.texts.includes('7'));

  assert.match(second.resets[0], /TRIMMED/i);
});

test('what the authorizer refuses is no stream', async (context) => {
  const reader = new Reader(context, { channel: 'room:forbidden' });
  await until('given up', () => reader.source.readyState === EventSource.CLOSED);

  assert.equal(reader.opened, 0);
});

await runAll();
