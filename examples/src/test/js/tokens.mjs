// What a published client does with tokens that end, and with tickets.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { Recorder, client } from './client.mjs';
import { api, fresh, publish, runAll, test, until } from './harness.mjs';

const secret = process.env.FANFARE_SECRET;

/** Signs a token that is good for so many seconds. */
function token(claims, seconds, key = secret) {
  const exp = Math.floor(Date.now() / 1000) + seconds;
  const parts = [{ alg: 'HS256', typ: 'JWT' }, { ...claims, exp }]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${parts}.${createHmac('sha256', key).update(parts).digest('base64url')}`;
}

/** Makes a client, with its events. */
function recorded(context, options) {
  const centrifuge = client(context, '', options);
  const seen = { centrifuge, connecting: 0, connected: 0, disconnected: [] };
  centrifuge.on('connecting', () => seen.connecting++);
  centrifuge.on('connected', () => seen.connected++);
  centrifuge.on('disconnected', (event) => seen.disconnected.push(event));
  centrifuge.connect();
  return seen;
}

async function connected(context, options = { token: token({ sub: 'ada' }, 600) }) {
  const seen = recorded(context, options);
  await seen.centrifuge.ready(10_000);
  return seen;
}

test('a connection is refreshed again and again, and never reconnects', async (context) => {
  let asked = 0;
  const getToken = async () => {
    asked++;
    return token({ sub: 'ada' }, 2);
  };
  const seen = await connected(context, { getToken });

  await until('three tokens', () => asked >= 4, 20_000);
  await publishAndReceive(seen.centrifuge);

  assert.equal(seen.connecting, 1);
  assert.deepEqual(seen.disconnected, []);
});

async function publishAndReceive(centrifuge) {
  const channel = fresh('room:x');
  const recorder = await Recorder.live(centrifuge, channel);
  await publish(channel, 'hello');
  await recorder.received(1);
}

test('a client whose token is expired fetches a new one and connects', async (context) => {
  let asked = 0;
  const getToken = async () => {
    asked++;
    return token({ sub: 'ada' }, 600);
  };

  const seen = await connected(context, { token: token({ sub: 'ada' }, -10), getToken });

  assert.equal(asked, 1);
  assert.equal(seen.connected, 1);
});

test('a forged token is the end', async (context) => {
  const seen = recorded(context, { token: token({ sub: 'ada' }, 600, 'another secret') });

  await until('disconnected', () => seen.disconnected.length > 0);

  assert.equal(seen.disconnected[0].code, 3500);
  assert.equal(seen.connected, 0);
});

test('a refresh as somebody else is the end', async (context) => {
  let asked = 0;
  const getToken = async () => (asked++ === 0 ? token({ sub: 'ada' }, 2) : token({ sub: 'eve' }, 600));
  const seen = await connected(context, { getToken });

  await until('disconnected', () => seen.disconnected.length > 0);

  assert.equal(seen.disconnected[0].code, 3500);
});

test('a subscription is refreshed again and again, and never subscribes anew', async (context) => {
  const { centrifuge } = await connected(context);
  const channel = fresh('room:x');
  let asked = 0;
  const getToken = async () => {
    asked++;
    return token({ sub: 'ada', channel }, 2);
  };

  const recorder = await Recorder.live(centrifuge, channel, { getToken });
  await until('three tokens', () => asked >= 4, 20_000);
  await publish(channel, 'hello');
  await recorder.received(1);

  assert.equal(recorder.subscribing.length, 1);
  assert.deepEqual(recorder.unsubscribed, []);
});

test('a token opens a channel that is forbidden without', async (context) => {
  const { centrifuge } = await connected(context);
  const channel = `${fresh('room:x')}:forbidden`;
  const without = new Recorder(centrifuge, channel);
  without.subscription.subscribe();
  await until('unsubscribed', () => without.unsubscribed.length > 0);
  centrifuge.removeSubscription(without.subscription);

  const recorder = await Recorder.live(centrifuge, channel, { token: token({ sub: 'ada', channel }, 600) });

  assert.equal(without.unsubscribed[0].code, 103);
  assert.equal(recorder.subscribed.length, 1);
});

test('a subscription whose token is expired gets a new one', async (context) => {
  const { centrifuge } = await connected(context);
  const channel = fresh('room:x');
  let asked = 0;
  const getToken = async () => {
    asked++;
    return token({ sub: 'ada', channel }, 600);
  };

  await Recorder.live(centrifuge, channel, { token: token({ sub: 'ada', channel }, -10), getToken });

  assert.equal(asked, 1);
});

test('a forged subscription token is refused, and the connection lives', async (context) => {
  const { centrifuge, disconnected } = await connected(context);
  const channel = fresh('room:x');
  const recorder = new Recorder(centrifuge, channel, { token: token({ sub: 'ada', channel }, 600, 'another secret') });
  recorder.subscription.subscribe();

  await until('unsubscribed', () => recorder.unsubscribed.length > 0);

  assert.equal(recorder.unsubscribed[0].code, 103);
  assert.deepEqual(disconnected, []);
});

test("somebody else's subscription token ends the connection", async (context) => {
  const seen = await connected(context);
  const channel = fresh('room:x');
  const recorder = new Recorder(seen.centrifuge, channel, { token: token({ sub: 'eve', channel }, 600) });
  recorder.subscription.subscribe();

  await until('disconnected', () => seen.disconnected.length > 0);

  assert.equal(seen.disconnected[0].code, 3500);
});

test('a ticket lets a client in once, and another one after that', async (context) => {
  let asked = 0;
  const getToken = async () => {
    asked++;
    return (await api('ticket', { user: 'ada', channels: ['room:of-the-ticket'] })).ticket;
  };
  const seen = recorded(context, { getToken });
  const channels = [];
  seen.centrifuge.on('subscribed', (event) => channels.push(event.channel));
  await seen.centrifuge.ready(10_000);
  const { ticket } = await api('ticket', { user: 'ada' });
  await connected(context, { token: ticket });

  const late = recorded(context, { token: ticket, getToken });
  await late.centrifuge.ready(10_000);

  assert.deepEqual(channels, ['room:of-the-ticket']);
  assert.equal(asked, 2);
});

test('the host disconnects and unsubscribes in its own words', async (context) => {
  const seen = await connected(context, { token: token({ sub: 'grace' }, 600) });
  const channel = fresh('room:x');
  const recorder = await Recorder.live(seen.centrifuge, channel);

  await api('unsubscribe', { user: 'grace', channel, unsubscribe: { code: 2100, reason: 'moved out' } });
  await until('unsubscribed', () => recorder.unsubscribed.length > 0);
  await api('disconnect', { user: 'grace', disconnect: { code: 4500, reason: 'go home' } });
  await until('disconnected', () => seen.disconnected.length > 0);

  assert.deepEqual([recorder.unsubscribed[0].code, recorder.unsubscribed[0].reason], [2100, 'moved out']);
  assert.deepEqual([seen.disconnected[0].code, seen.disconnected[0].reason], [4500, 'go home']);
});

await runAll();
