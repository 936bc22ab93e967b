// What a published client sees of the server, event by event.
import assert from 'node:assert/strict';
import { Recorder, client, connected, transport, unwrap, wrap } from './client.mjs';
import { Proxy, api, fresh, publish, runAll, server, test, until } from './harness.mjs';

const recoverable = { recoverable: true, positioned: true };

/** Asks the test's own route to do something to the server. */
async function control(what, query) {
  const response = await fetch(`${server}/test/${what}?${new URLSearchParams(query)}`, { method: 'POST' });
  assert.equal(response.status, 200, await response.text());
}

async function failureOf(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it succeeded');
}

test('connects, and is told its id and how often it will be pinged', async (context) => {
  const centrifuge = client(context, 'ada');
  const connectedOnce = new Promise((resolve) => centrifuge.once('connected', resolve));
  centrifuge.connect();

  const { client: id, transport: used } = await connectedOnce;

  assert.match(id, /\S/);
  assert.equal(used, transport);
});

test('a token that is none ends in 3500 and no further try', async (context) => {
  const centrifuge = client(context, 'nobody knows');
  const over = new Promise((resolve) => centrifuge.once('disconnected', resolve));
  centrifuge.connect();

  const { code, reason } = await over;

  assert.equal(code, 3500);
  assert.equal(reason, 'invalid token');
});

test('an expired token makes the client fetch a new one and connect', async (context) => {
  let asked = 0;
  const centrifuge = client(context, 'expired', {
    getToken: async () => {
      asked++;
      return 'ada';
    },
  });
  centrifuge.connect();
  await centrifuge.ready(10_000);

  assert.equal(asked, 1);
});

test('a subscriber gets what is published, in order, with offsets', async (context) => {
  const channel = fresh('room:live');
  const recorder = await Recorder.live(await connected(context, 'ada'), channel, recoverable);
  await publish(channel, 'one', 'two', 'three');
  await recorder.received(3);

  assert.deepEqual(recorder.texts, ['one', 'two', 'three']);
  assert.deepEqual(recorder.offsets, [1, 2, 3]);
});

test('what a channel leaves out is told by a message', async (context) => {
  const channel = fresh('sampled:a');
  const centrifuge = await connected(context, 'ada');
  let skipped = 0;
  centrifuge.on('message', ({ data }) => {
    const told = unwrap(data).skipped;
    assert.equal(told.channel, channel);
    skipped += told.count;
  });
  const recorder = await Recorder.live(centrifuge, channel, recoverable);

  const publishes = Array.from({ length: 5 }, (_, i) => ({ publish: { channel, data: { text: `${i + 1}` } } }));
  await api('batch', { commands: publishes });

  await until('the last came', () => recorder.offsets.at(-1) === 5);
  assert.ok(skipped > 0);
  assert.equal(recorder.publications.length + skipped, 5);
});

test('a fresh subscription says where it begins, and brings nothing old', async (context) => {
  const channel = fresh('room:fresh');
  await publish(channel, 'before');
  const recorder = await Recorder.live(await connected(context, 'ada'), channel, recoverable);
  const [subscribed] = recorder.subscribed;

  assert.equal(subscribed.recoverable, true);
  assert.equal(subscribed.positioned, true);
  assert.equal(subscribed.wasRecovering, false);
  assert.equal(subscribed.recovered, false);
  assert.equal(subscribed.streamPosition.offset, 1);
  assert.match(subscribed.streamPosition.epoch, /^[A-Za-z0-9]+$/);
  assert.deepEqual(recorder.texts, []);
});

test('a client publishes, and everybody learns who did', async (context) => {
  const channel = fresh('room:publish');
  const reader = await Recorder.live(await connected(context, 'grace'), channel);
  const writer = await connected(context, 'ada');
  await writer.publish(channel, wrap({ text: 'from ada' }));
  const [publication] = await reader.received(1);

  assert.equal(publication.data.text, 'from ada');
  assert.equal(publication.info.user, 'ada');
  assert.match(publication.info.client, /\S/);
});

test('what the authorizer refuses is error 103', async (context) => {
  const centrifuge = await connected(context, 'ada');
  const recorder = new Recorder(centrifuge, 'room:forbidden');
  recorder.subscription.subscribe();
  await until('unsubscribed', () => recorder.unsubscribed.length === 1);

  assert.equal(recorder.unsubscribed[0].code, 103);
  assert.equal((await failureOf(centrifuge.publish('room:forbidden', wrap({})))).code, 103);
  assert.equal((await failureOf(centrifuge.history('room:forbidden', { limit: 1 }))).code, 103);
  assert.equal((await failureOf(centrifuge.presence('room:forbidden'))).code, 103);
});

test('a namespace without rules is error 102', async (context) => {
  const recorder = new Recorder(await connected(context, 'ada'), 'nowhere:room');
  recorder.subscription.subscribe();
  await until('unsubscribed', () => recorder.unsubscribed.length === 1);

  assert.equal(recorder.unsubscribed[0].code, 102);
});

test('history is read forward, backward, and on from a position', async (context) => {
  const channel = fresh('room:history');
  await publish(channel, 'one', 'two', 'three', 'four');
  const centrifuge = await connected(context, 'ada');
  const texts = (page) => page.publications.map((publication) => unwrap(publication.data).text);

  const oldest = await centrifuge.history(channel, { limit: 2 });
  const newest = await centrifuge.history(channel, { limit: 2, reverse: true });
  const since = await centrifuge.history(channel, { limit: 10, since: { offset: 2, epoch: oldest.epoch } });
  const before = await centrifuge.history(channel, { limit: 10, since: { offset: 3, epoch: oldest.epoch }, reverse: true });
  const position = await centrifuge.history(channel, { limit: 0 });

  assert.deepEqual(texts(oldest), ['one', 'two']);
  assert.deepEqual(texts(newest), ['four', 'three']);
  assert.deepEqual(texts(since), ['three', 'four']);
  assert.deepEqual(texts(before), ['two', 'one']);
  assert.deepEqual([position.offset, position.publications], [4, []]);
});

test('history where nothing is retained is error 108', async (context) => {
  const centrifuge = await connected(context, 'ada');

  assert.equal((await failureOf(centrifuge.history('plain:news', { limit: 1 }))).code, 108);
});

test('a channel that retains nothing is live and not recoverable', async (context) => {
  const channel = fresh('plain:news');
  const recorder = await Recorder.live(await connected(context, 'ada'), channel, recoverable);
  await publish(channel, 'now');
  await recorder.received(1);

  assert.equal(recorder.subscribed[0].recoverable, false);
  assert.deepEqual(recorder.texts, ['now']);
  assert.deepEqual(recorder.offsets, [undefined]);
});

test('presence lists every connection, and its statistics count users', async (context) => {
  const channel = fresh('room:presence');
  await Recorder.live(await connected(context, 'ada'), channel);
  await Recorder.live(await connected(context, 'ada'), channel);
  const grace = await connected(context, 'grace');
  await Recorder.live(grace, channel);

  const { clients } = await grace.presence(channel);
  const { numClients, numUsers } = await grace.presenceStats(channel);

  assert.deepEqual(Object.values(clients).map((member) => member.user).sort(), ['ada', 'ada', 'grace']);
  assert.deepEqual([numClients, numUsers], [3, 2]);
});

test('a join with the first window of a user, a leave with the last one', async (context) => {
  const channel = fresh('room:join');
  const reader = await Recorder.live(await connected(context, 'ada'), channel, { joinLeave: true });
  const first = await Recorder.live(await connected(context, 'grace'), channel);
  const second = await Recorder.live(await connected(context, 'grace'), channel);
  await until('grace joined', () => reader.joins.some((info) => info.user === 'grace'));
  first.subscription.unsubscribe();
  await publish(channel, 'between');
  await reader.received(1);
  const leavesBetween = reader.leaves.length;
  second.subscription.unsubscribe();
  await until('grace left', () => reader.leaves.length > 0);

  assert.equal(reader.joins.filter((info) => info.user === 'grace').length, 1);
  assert.equal(leavesBetween, 0);
  assert.deepEqual(reader.leaves.map((info) => info.user), ['grace']);
});

test('nobody who did not ask is told of joins and leaves', async (context) => {
  const channel = fresh('room:quiet');
  const reader = await Recorder.live(await connected(context, 'ada'), channel);
  await Recorder.live(await connected(context, 'grace'), channel);
  await publish(channel, 'after');
  await reader.received(1);

  assert.deepEqual(reader.joins, []);
});

test('a call is answered by the host', async (context) => {
  const centrifuge = await connected(context, 'ada');

  const { data } = await centrifuge.rpc('echo', wrap({ deep: [1, 'two', null] }));

  assert.deepEqual(unwrap(data), { deep: [1, 'two', null] });
});

test('a call that fails says so in the words of the host', async (context) => {
  const centrifuge = await connected(context, 'ada');
  const failed = await failureOf(centrifuge.rpc('fail', wrap({})));
  const unknown = await failureOf(centrifuge.rpc('nothing of the kind', wrap({})));
  const broken = await failureOf(centrifuge.rpc('throw', wrap({})));

  assert.deepEqual([failed.code, failed.message], [450, 'no luck today']);
  assert.equal(unknown.code, 104);
  assert.deepEqual([broken.code, broken.temporary], [100, true]);
});

/** Cuts the network of one reader while others publish. */
async function cutAndMissed(context, channel, ...missed) {
  const proxy = await Proxy.start();
  context.cleanUp(() => proxy.close());
  const recorder = await Recorder.live(await connected(context, 'ada', { base: proxy.url }), channel, recoverable);
  await publish(channel, 'seen');
  await recorder.received(1);
  proxy.cut();
  await until('the cut was noticed', () => recorder.subscribing.length === 2);
  await publish(channel, ...missed);
  proxy.mend();
  await recorder.timesSubscribed(2);
  return recorder;
}

test('after a cut in which nothing was missed it continues with nothing', async (context) => {
  const channel = fresh('room:cut');
  const recorder = await cutAndMissed(context, channel);
  await publish(channel, 'after');
  await recorder.received(2);
  const [, again] = recorder.subscribed;

  assert.deepEqual([again.wasRecovering, again.recovered, again.hasRecoveredPublications], [true, true, false]);
  assert.deepEqual(recorder.texts, ['seen', 'after']);
});

test('after a cut it gets what it missed, each once, in order, then goes on', async (context) => {
  const channel = fresh('room:cut');
  const recorder = await cutAndMissed(context, channel, 'missed 1', 'missed 2', 'missed 3');
  await publish(channel, 'after');
  await recorder.received(5);
  const [, again] = recorder.subscribed;

  assert.deepEqual([again.wasRecovering, again.recovered, again.hasRecoveredPublications], [true, true, true]);
  assert.equal(again.streamPosition.offset, 1, 'the position it recovered from');
  assert.deepEqual(recorder.texts, ['seen', 'missed 1', 'missed 2', 'missed 3', 'after']);
  assert.deepEqual(recorder.offsets, [1, 2, 3, 4, 5]);
});

test('after a cut in which more was missed than is kept it is told so, and gets no part of it', async (context) => {
  const channel = fresh('short:cut');
  const recorder = await cutAndMissed(context, channel, '2', '3', '4', '5', '6');
  await publish(channel, 'after');
  await recorder.received(2);
  const [, again] = recorder.subscribed;

  assert.deepEqual([again.wasRecovering, again.recovered], [true, false]);
  assert.equal(again.streamPosition.offset, 6);
  assert.deepEqual(recorder.texts, ['seen', 'after']);
});

test('a client that the server drops comes back by itself and continues', async (context) => {
  const channel = fresh('room:drop');
  const user = fresh('user');
  const centrifuge = await connected(context, user);
  const recorder = await Recorder.live(centrifuge, channel, recoverable);
  const codes = [];
  centrifuge.on('connecting', ({ code, reason }) => codes.push([code, reason]));
  await control('disconnect', { user, reason: 'FORCE_RECONNECT' });
  await recorder.timesSubscribed(2);

  assert.deepEqual(codes[0], [3011, 'force reconnect']);
  assert.equal(recorder.subscribed[1].recovered, true);
});

test('a client that is told to stay away does', async (context) => {
  const user = fresh('user');
  const centrifuge = await connected(context, user);
  const over = new Promise((resolve) => centrifuge.once('disconnected', resolve));
  await control('disconnect', { user, reason: 'FORCE_DISCONNECT' });

  const { code, reason } = await over;

  assert.deepEqual([code, reason], [3503, 'force disconnect']);
});

test('a subscription that the host ends is over for good', async (context) => {
  const channel = fresh('room:ended');
  const user = fresh('user');
  const recorder = await Recorder.live(await connected(context, user), channel, recoverable);
  await control('unsubscribe', { user, channel });
  await until('unsubscribed', () => recorder.unsubscribed.length === 1);

  assert.equal(recorder.unsubscribed[0].code, 2000);
  assert.match(recorder.unsubscribed[0].reason, /\S/);
});

test('when the log is lost under a live subscription it is told (2500), and subscribes anew', async (context) => {
  const channel = fresh('room:lost');
  const recorder = await Recorder.live(await connected(context, 'ada'), channel, recoverable);
  await publish(channel, 'one', 'two');
  await recorder.received(2);
  await control('lose', { channel });
  await publish(channel, 'first of another life');
  await recorder.timesSubscribed(2);
  await publish(channel, 'after');
  await until('the next one', () => recorder.texts.includes('after'));
  const [, again] = recorder.subscribed;

  assert.equal(recorder.subscribing[1].code, 2500);
  assert.match(recorder.subscribing[1].reason, /\S/);
  assert.deepEqual([again.wasRecovering, again.recovered], [true, false]);
  assert.notEqual(again.streamPosition.epoch, recorder.subscribed[0].streamPosition.epoch);
});

test('unsubscribe and subscribe in one breath ends subscribed', async (context) => {
  const channel = fresh('room:breath');
  const recorder = await Recorder.live(await connected(context, 'ada'), channel, recoverable);
  recorder.subscription.unsubscribe();
  recorder.subscription.subscribe();
  await recorder.timesSubscribed(2);
  await publish(channel, 'after');
  await recorder.received(1);

  assert.deepEqual(recorder.texts, ['after']);
  assert.deepEqual(recorder.errors, []);
});

test('nothing comes after an unsubscribe', async (context) => {
  const channel = fresh('room:over');
  const centrifuge = await connected(context, 'ada');
  const other = await Recorder.live(await connected(context, 'grace'), channel);
  const recorder = await Recorder.live(centrifuge, channel);
  recorder.subscription.unsubscribe();
  await centrifuge.rpc('echo', wrap({})); // answered after the unsubscribe
  await publish(channel, 'after');
  await other.received(1);
  await centrifuge.rpc('echo', wrap({}));

  assert.deepEqual(recorder.texts, []);
});

test('the same channel twice on one connection is one subscription of the client', async (context) => {
  const centrifuge = await connected(context, 'ada');
  const channel = fresh('room:twice');
  await Recorder.live(centrifuge, channel);

  assert.throws(() => centrifuge.newSubscription(channel), /already exists/);
});

test('many publications in a row arrive whole, in order, once', async (context) => {
  const channel = fresh('room:many');
  const recorder = await Recorder.live(await connected(context, 'ada'), channel, recoverable);
  const sent = Array.from({ length: 90 }, (_, i) => `nr ${i}`);
  await Promise.all(sent.map((text) => api('publish', { channel, data: { text } })));
  await recorder.received(90);

  assert.deepEqual(recorder.offsets, Array.from({ length: 90 }, (_, i) => i + 1));
  assert.deepEqual([...recorder.texts].sort(), [...sent].sort());
});

// Differences: the client takes the first whole and puts the rest together from patches.

const delta = { delta: 'fossil', ...recoverable };
const filler = 'Съешь же ещё этих мягких французских булок, 😀 '.repeat(8);

test('publications that resemble each other come as differences', async (context) => {
  const channel = fresh('delta:live');
  const recorder = await Recorder.live(await connected(context, 'ada'), channel, delta);
  const sent = ['ещё', 'еще', 'нет', 'да', '😀', '😁'].map((word, i) => `${i} ${word} ${filler}`);
  await publish(channel, ...sent);
  await recorder.received(sent.length);

  assert.deepEqual(recorder.texts, sent);
  const { numFullPayloads, numDeltaPayloads, bytesReceived, bytesDecoded } = recorder.subscription.deltaStats();
  assert.equal(numFullPayloads, 1);
  assert.equal(numDeltaPayloads, sent.length - 1);
  assert.ok(bytesReceived < bytesDecoded / 2, `${bytesReceived} of ${bytesDecoded} bytes`);
});

test('publications that do not resemble each other are put together too', async (context) => {
  const channel = fresh('delta:unlike');
  const recorder = await Recorder.live(await connected(context, 'ada'), channel, delta);
  await publish(channel, filler, 'short', filler);
  await recorder.received(3);

  assert.deepEqual(recorder.texts, [filler, 'short', filler]);
});

test('after a cut what was missed, and what follows, is put together', async (context) => {
  const channel = fresh('delta:cut');
  const proxy = await Proxy.start();
  context.cleanUp(() => proxy.close());
  const recorder = await Recorder.live(await connected(context, 'ada', { base: proxy.url }), channel, delta);
  await publish(channel, `1 ${filler}`);
  await recorder.received(1);
  proxy.cut();
  await until('the client noticed', () => recorder.subscribing.length === 2);
  await publish(channel, `2 ${filler}`, `3 ${filler}`);
  proxy.mend();
  await recorder.timesSubscribed(2);
  await publish(channel, `4 ${filler}`);
  await recorder.received(4);

  assert.equal(recorder.subscribed[1].recovered, true);
  assert.deepEqual(recorder.texts, [1, 2, 3, 4].map((number) => `${number} ${filler}`));
  assert.equal(recorder.subscription.deltaStats().numFullPayloads, 2);
});

test('a client that comes back with a position but without a base gets the whole', async (context) => {
  const channel = fresh('delta:fresh');
  const first = await Recorder.live(await connected(context, 'ada'), channel, delta);
  await publish(channel, `1 ${filler}`);
  await first.received(1);
  const since = { offset: 1, epoch: first.subscribed[0].streamPosition.epoch };

  const second = await Recorder.live(await connected(context, 'ada'), channel, { ...delta, since });
  await publish(channel, `2 ${filler}`, `3 ${filler}`);
  await second.received(2);

  assert.equal(second.subscribed[0].recovered, true);
  assert.deepEqual(second.texts, [`2 ${filler}`, `3 ${filler}`]);
  assert.equal(second.subscription.deltaStats().numFullPayloads, 1);
});

test('a filter lets through what it names, and a position stays good', async (context) => {
  const channel = fresh('tagged:goals');
  const tagsFilter = { key: 'type', cmp: 'eq', val: 'goal' };
  const recorder = await Recorder.live(await connected(context, 'ada'), channel, { ...recoverable, tagsFilter });
  for (const [text, type] of [['1', 'goal'], ['2', 'foul'], ['3', 'foul'], ['4', 'goal']]) {
    await api('publish', { channel, data: { text }, tags: { type } });
  }
  await recorder.received(2);

  assert.deepEqual(recorder.texts, ['1', '4']);
  assert.deepEqual(recorder.offsets, [1, 4]);
  assert.deepEqual(recorder.publications[1].tags, { type: 'goal' });
});

test('a channel that is its newest publication begins with it', async (context) => {
  const channel = fresh('value:gauge');
  await publish(channel, 'old', 'older', 'newest');
  const options = { ...recoverable, since: { offset: 0, epoch: '' } };
  const recorder = await Recorder.live(await connected(context, 'ada'), channel, options);
  await publish(channel, 'next');
  await recorder.received(2);

  assert.equal(recorder.subscribed[0].recovered, true);
  assert.deepEqual(recorder.texts, ['newest', 'next']);
});

await runAll();
