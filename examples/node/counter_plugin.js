#!/usr/bin/env node
// A plugin of the host of examples/bidirectional that calls it back: the host adds,
// and has the text whose words are counted.

import { text } from 'node:stream/consumers';

import { loadProtos, serve, unary } from './serving.js';

const { counter } = loadProtos(new URL('descriptors.json', import.meta.url));

// What the host's Go package examples/bidirectional/counter says too.
const handshake = { cookieKey: 'JACKFIELD_BIDIRECTIONAL_PLUGIN', cookieValue: '5e6b80d7' };

const counts = new Map();
let last = Promise.resolve(); // One addition at a time reads and writes counts.

function register(server, broker) {
  const add = ({ key, amount, adder_id }) =>
    broker.borrow(adder_id, counter.v1.AdderService, async (adder) => {
      const { sum } = await adder.Sum({ a: counts.get(key) ?? 0, b: amount });
      counts.set(key, sum);
      return { sum };
    });

  server.addService(counter.v1.CounterService.service, {
    Add: unary((request) => (last = last.catch(() => {}).then(() => add(request)))),

    CountWords: unary(({ text_id }) =>
      broker.borrowReader(text_id, async (reader) => {
        const words = (await text(reader)).split(/\s+/).filter(Boolean).length;
        return { words };
      }),
    ),
  });
}

await serve(handshake, { 1: register }, { version: '1.4.2' });
