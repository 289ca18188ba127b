// The suite's probe in JavaScript, with the helper files of examples/node:
//
//     probe.mjs DESCRIPTORS plugin    serves it
//     probe.mjs DESCRIPTORS host      runs the steps of the matrix on a plugin
//
// DESCRIPTORS is a file with the compiled probe.proto. The host reads the cell of the
// matrix from its environment, and prints its outcome.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import process from 'node:process';

import { PluginError, withPlugin } from '../../examples/node/hosting.js';
import { logger, serve, unary } from '../../examples/node/serving.js';

const require = createRequire(new URL('../../examples/node/serving.js', import.meta.url));
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');

const [descriptors, role] = process.argv.slice(2);
const set = protoLoader.loadFileDescriptorSetFromBuffer(readFileSync(descriptors), { longs: Number, defaults: true });
const { HostService, ProbeService } = grpc.loadPackageDefinition(set).conformance.v1;

const handshake = { cookieKey: 'JACKFIELD_CONFORMANCE', cookieValue: '5d1ae3f80c94' }; // of conformance/goplugin/shared
const log = logger('probe');
const patience = 60_000;

const block = Buffer.from(Array.from({ length: 251 }, (_, i) => i));
const pattern = (size) => Buffer.alloc(size, block);

// lend lends a HostService that knows its broker ID.
function lend(broker, side, use) {
  let id = 0;
  const answerer = {
    Answer: unary(({ question, payload }) => ({ answer: `${side} answers ${question}`, broker_id: id, payload })),
  };
  return broker.lend((server) => server.addService(HostService.service, answerer), (number) => {
    id = number;
    return use(number);
  });
}

function probe(broker) {
  const offers = new Map(); // by ID: ends it
  return {
    Echo: unary(({ payload }) => {
      log.info('echoed', { bytes: payload.length });
      return { payload };
    }),
    Big: unary(({ payload, answer_size }) => ({
      payload: pattern(answer_size),
      received_size: payload.length,
      received_sha256: createHash('sha256').update(payload).digest(),
    })),
    Fail: unary(({ code, message }) => {
      if (code) {
        throw Object.assign(new Error(message), { code });
      }
      return {};
    }),
    Print: unary(({ stdout, stderr, times }) => {
      for (let i = 0; i < Math.max(times, 1); i++) {
        process.stdout.write(stdout);
        process.stderr.write(stderr);
      }
      return {};
    }),
    Count(call) {
      for (let number = 1; number <= call.request.to; number++) {
        call.write({ number });
      }
      if (call.request.code) {
        call.emit('error', { code: call.request.code, details: 'counted to the end' });
      } else {
        call.end();
      }
    },
    async Sum(call, callback) {
      let [total, numbers] = [0, 0];
      for await (const { number } of call) {
        total += number;
        numbers++;
      }
      callback(null, { total, numbers });
    },
    Chat(call) {
      call.on('data', ({ text }) => call.write({ text: `you said ${text}` }));
      call.on('end', () => call.end());
    },
    Callback: unary(({ broker_id, question, times, size }) =>
      broker.borrow(broker_id, HostService, async (host) => {
        let answer;
        for (let i = 0; i < Math.max(times, 1); i++) {
          answer = await host.Answer({ question, payload: pattern(size) });
        }
        return { answer: answer.answer, answered_by: answer.broker_id };
      }),
    ),
    Offer: unary(async ({ count }) => {
      const broker_ids = [];
      while (broker_ids.length < count) {
        const id = await new Promise((resolve, reject) => {
          const lent = lend(broker, 'plugin', (number) => new Promise((end) => {
            offers.set(number, async () => (end(), lent));
            resolve(number);
          }));
          lent.catch(reject);
        });
        broker_ids.push(id);
      }
      return { broker_ids };
    }),
    Withdraw: unary(async ({ broker_ids }) => {
      for (const id of broker_ids) {
        await offers.get(id)();
        offers.delete(id);
      }
      return {};
    }),
    Status: unary(() => ({ pid: process.pid, version: 1, offers: offers.size })),
  };
}

// Output collects bytes, and waits for them.
class Output extends EventEmitter {
  text = '';

  write(data) {
    this.text += data;
    this.emit('more');
  }

  async wait(good, what) {
    const signal = AbortSignal.timeout(patience);
    while (!good(this.text)) {
      await once(this, 'more', { signal }).catch(() => assert.fail(`no ${what} in ${this.text.slice(-300)}`));
    }
  }
}

// steps is what a host does with its plugin, by the letters of the matrix.
function steps(cell, plugin, outputs) {
  const inGo = ['jackfield', 'go-plugin'].includes(cell.Plugin);
  const client = plugin.client(ProbeService);
  const streams = plugin.streams(ProbeService);
  const all = {
    P: () => plugin.ping(),
    async C() {
      for (const size of [0, 1, 1 << 20, 3 << 20]) {
        const { payload } = await client.Echo({ payload: pattern(size) });
        assert(pattern(size).equals(payload), `echo of ${size} bytes`);
      }
      const counted = [];
      for await (const { number } of streams.Count({ to: 1000 })) {
        counted.push(number);
      }
      assert.deepEqual(counted, Array.from({ length: 1000 }, (_, i) => i + 1));
      const summed = await new Promise((resolve, reject) => {
        const call = streams.Sum((error, answer) => (error ? reject(error) : resolve(answer)));
        for (let number = 0; number < 1000; number++) {
          call.write({ number });
        }
        call.end();
      });
      assert.deepEqual(summed, { total: 499500, numbers: 1000 });
      const chat = streams.Chat();
      const said = chat[Symbol.asyncIterator]();
      for (let i = 0; i < 1000; i++) {
        chat.write({ text: `message ${i}` });
        assert.equal((await said.next()).value.text, `you said message ${i}`);
      }
      chat.end();
      assert((await said.next()).done);
      const failed = await client.Fail({ code: grpc.status.NOT_FOUND, message: 'not here' }).catch((error) => error);
      assert.deepEqual([failed.code, failed.details], [grpc.status.NOT_FOUND, 'not here']);
    },
    async B() {
      for (const size of [0, 1 << 10, 8 << 20]) { // the last is beyond gRPC's own limit
        const question = `question of ${size}`;
        await lend(plugin.broker, 'host', async (broker_id) => {
          const answer = await client.Callback({ broker_id, question, times: 2, size });
          assert.deepEqual(answer, { answer: `host answers ${question}`, answered_by: broker_id });
        });
      }
    },
    async O() {
      const { broker_ids } = await client.Offer({ count: 3 });
      await Promise.all(broker_ids.map((id) => plugin.broker.borrow(id, HostService, async (host) => {
        const answer = await host.Answer({ question: 'who', payload: pattern(1 << 10) });
        assert.deepEqual([answer.answer, answer.broker_id], ['plugin answers who', id]);
      })));
      await client.Withdraw({ broker_ids });
    },
    async S() {
      const long = 'y'.repeat(200 << 10) + '\n';
      await client.Print({ stdout: 'first out\n', stderr: 'first err\n' });
      await client.Print({ stdout: long, stderr: 'second err\n', times: 2 });
      await outputs.stdout.wait((text) => text === `first out\n${long}${long}`, 'stdout');
      if (inGo) {
        await outputs.stderr.wait((text) => text === 'first err\nsecond err\nsecond err\n', 'stderr');
      } else {
        await outputs.log.wait((text) => text.includes('second err'), 'stderr in the log');
      }
    },
  };
  if (!inGo) {
    all.L = () => outputs.log.wait((text) => text.includes('echoed'), 'record');
  }
  return all;
}

async function playHost() {
  const cell = JSON.parse(process.env.JACKFIELD_MATRIX_CELL);
  process.env.JACKFIELD_MATRIX_ROLE = 'plugin';
  const outputs = { stdout: new Output(), stderr: new Output(), log: new Output() };
  const outcome = { Steps: {} };
  const options = {
    command: cell.Command[0], args: cell.Command.slice(1), handshake, mutualTLS: cell.Secured,
    stdout: outputs.stdout, stderr: outputs.stderr,
    log: (level, text, attributes) => outputs.log.write(`${level} ${text} ${JSON.stringify(attributes)}\n`),
  };
  try {
    await withPlugin(options, async (plugin) => {
      for (const [letter, step] of Object.entries(steps(cell, plugin, outputs))) {
        outcome.Steps[letter] = await Promise.resolve(step()).then(() => '', (error) => String(error.stack ?? error).slice(0, 2000));
      }
    });
    const end = outputs.log.text.split('\n').find((line) => line.startsWith('warn plugin '));
    outcome.Steps.E = end ?? '';
  } catch (error) {
    if (!(error instanceof PluginError)) {
      throw error;
    }
    outcome.LaunchError = error.message;
  }
  outcome.Log = outputs.log.text;
  console.log(JSON.stringify(outcome));
}

if (role === 'host') {
  await playHost();
} else {
  await serve(handshake, { 1: (server, broker) => server.addService(ProbeService.service, probe(broker)) });
}
