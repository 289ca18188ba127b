#!/usr/bin/env node
// The host of examples/bidirectional in JavaScript: it passes its own adder and a
// reader of its own to the plugin that its arguments name, in any language.

import process from 'node:process';

import grpc from '@grpc/grpc-js';

import { PluginError, withPlugin } from './hosting.js';
import { loadProtos, unary } from './serving.js';

const { counter } = loadProtos(new URL('descriptors.json', import.meta.url));

// What the plugins say too.
const handshake = { cookieKey: 'JACKFIELD_BIDIRECTIONAL_PLUGIN', cookieValue: '5e6b80d7' };

// adder runs in the host.
const adder = {
  Sum: unary(({ a, b }) => {
    if (a + b > 10) {
      throw Object.assign(new Error('the host counts to ten only'), { code: grpc.status.OUT_OF_RANGE });
    }
    console.log(`called back in process ${process.pid}: ${a} and ${b} make ${a + b}`);
    return { sum: a + b };
  }),
};

async function count(plugin) {
  console.log(`the host is process ${process.pid}, the plugin process ${plugin.pid}`);
  const client = plugin.client(counter.v1.CounterService);

  // The plugin can use the adder as long as this call takes.
  const register = (server) => server.addService(counter.v1.AdderService.service, adder);
  const add = (amount) =>
    plugin.broker.lend(register, (adder_id) => client.Add({ key: 'apples', amount, adder_id }));

  for (const amount of [2, 5]) {
    console.log(`the plugin answers: ${(await add(amount)).sum} apples`);
  }
  await add(5).catch((error) => console.log("the host's own error, by way of the plugin:", error.details));

  const text = ['the host has this text, ', 'and the plugin reads it'].map((piece) => Buffer.from(piece));
  const { words } = await plugin.broker.lendReader(text, (text_id) => client.CountWords({ text_id }));
  console.log(`the plugin has read ${words} words`);
}

const [command, ...args] = process.argv.slice(2);
if (!command) {
  console.error('usage: counter_host.js path/to/counter-plugin');
  process.exit(2);
}
// Without this, the signal ends the host and leaves the plugin behind.
process.on('SIGTERM', () => process.exit(1));
process.on('SIGINT', () => process.exit(1));
const log = (level, message, attributes) => level !== 'debug' && console.error(level, message, attributes);
try {
  await withPlugin({ command, args, handshake, log }, count);
  console.log('the plugin has left');
} catch (error) {
  console.error(error instanceof PluginError ? `error: ${error.message}` : error);
  process.exitCode = 1;
}
