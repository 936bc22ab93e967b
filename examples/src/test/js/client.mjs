// The published centrifuge client, in the encoding and over the transport that are asked for, with its events collected.
import { EventSource } from 'eventsource';
import WebSocket from 'ws';
import { server, until } from './harness.mjs';

export const format = process.env.FORMAT ?? 'json';
export const transport = process.env.TRANSPORT ?? 'websocket';

const { Centrifuge } = format === 'protobuf' ? await import('centrifuge/build/protobuf') : await import('centrifuge');
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Makes data for the wire: with Protobuf the client takes and gives bytes. */
export function wrap(data) {
  return format === 'protobuf' ? encoder.encode(JSON.stringify(data)) : data;
}

/** Reads data from the wire. */
export function unwrap(data) {
  return format === 'protobuf' && data !== undefined ? JSON.parse(decoder.decode(data)) : data;
}

/** Makes a client; it is disconnected after the test. */
export function client(context, user, { base = server, ...options } = {}) {
  const scheme = transport === 'websocket' ? base.replace('http', 'ws') : base;
  const centrifuge = new Centrifuge([{ transport, endpoint: `${scheme}/connection/${transport}` }], {
    token: user,
    websocket: WebSocket,
    eventsource: EventSource,
    emulationEndpoint: `${base}/emulation`,
    minReconnectDelay: 20,
    maxReconnectDelay: 100,
    networkEventTarget: new EventTarget(),
    ...options,
  });
  centrifuge.on('error', () => {}); // refused connections while a proxy is cut
  context.cleanUp(() => centrifuge.disconnect());
  return centrifuge;
}

/** Connects it. */
export async function connected(context, user, options) {
  const centrifuge = client(context, user, options);
  centrifuge.connect();
  await centrifuge.ready(10_000);
  return centrifuge;
}

/** A subscription, and all that happened to it. */
export class Recorder {
  constructor(centrifuge, channel, options = {}) {
    this.subscription = centrifuge.newSubscription(channel, options);
    this.subscribed = [];
    this.subscribing = [];
    this.publications = [];
    this.joins = [];
    this.leaves = [];
    this.errors = [];
    this.unsubscribed = [];
    for (const event of ['subscribed', 'subscribing', 'unsubscribed']) {
      this.subscription.on(event, (context) => this[event].push(context));
    }
    this.subscription.on('publication', (context) => this.publications.push({ ...context, data: unwrap(context.data) }));
    this.subscription.on('join', (context) => this.joins.push(context.info));
    this.subscription.on('leave', (context) => this.leaves.push(context.info));
    this.subscription.on('error', (context) => this.errors.push(context));
  }

  /** Subscribes, and waits for the answer. */
  static async live(centrifuge, channel, options) {
    const recorder = new Recorder(centrifuge, channel, options);
    recorder.subscription.subscribe();
    await recorder.subscription.ready(10_000);
    return recorder;
  }

  /** Waits until it was subscribed so many times. */
  async timesSubscribed(count) {
    await until(`subscribed ${count} times`, () => this.subscribed.length >= count);
    return this.subscribed[count - 1];
  }

  /** Waits until so many publications came. */
  async received(count) {
    await until(`${count} publications, there are ${this.publications.length}`, () => this.publications.length >= count);
    return this.publications;
  }

  get texts() {
    return this.publications.map((publication) => publication.data.text);
  }

  get offsets() {
    return this.publications.map((publication) => publication.offset);
  }
}
