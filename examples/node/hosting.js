// The plugin protocol for hosts in JavaScript: launch, handshake, mutual TLS, broker,
// log, printed output and an orderly end. Copy this file and serving.js, which has the
// parts of both sides.
//
// docs/protocol.md of the repository has the rules, by section.

import { spawn, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import readline from 'node:readline';

import { Broker, channel, makeIdentity, promises, protocol, sockets } from './serving.js';

const LAUNCH_MILLISECONDS = 60_000;
const LEAVE_MILLISECONDS = 2000; // each, to answer the request to leave, and to end
const NOISE_LINES = 100; // before the handshake line
const LINE_CHARACTERS = 1 << 16; // of the handshake line
const LIFELINE = 'lifeline'; // the name of a pipe in the directory for sockets

// Inherited, these are settings of another plugin (sections 1 and 10).
const stale = ['PROTOCOL_VERSIONS', 'MIN_PORT', 'MAX_PORT', 'CLIENT_CERT', 'MULTIPLEX_GRPC',
  'UNIX_SOCKET_DIR', 'UNIX_SOCKET_GROUP', 'HANDSHAKE_FIELDS', 'LIFELINE', 'OUTLIVE'].map((name) => `PLUGIN_${name}`);

const defaults = {
  args: [], versions: [1], mutualTLS: true, log: () => {}, stdout: process.stdout, stderr: process.stderr,
};

const account = ['version', 'build', 'library', 'language']; // section 10

// PluginError says why a plugin could not be launched.
export class PluginError extends Error {}

// withPlugin launches a plugin, calls use when it can be called, and ends it, however
// use ends. The options:
//
//   command, args  the program
//   handshake      { cookieKey, cookieValue }
//   versions       of the application's protocol; [1] by default
//   mutualTLS      true by default
//   log            gets (level, message, attributes) of each line of the plugin's log
//   stdout, stderr get what the plugin prints; this program's own by default
export async function withPlugin(options, use) {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'plugin-')); // of this user alone
  const lifeline = holdLifeline(directory);
  const plugin = new Plugin({ ...defaults, ...options }, directory, lifeline !== null);
  const abandon = () => {
    plugin.kill();
    rmSync(directory, { recursive: true, force: true });
  };
  process.on('exit', abandon); // process.exit does not run the finally below
  try {
    await plugin.launch();
    return await use(plugin);
  } finally {
    await plugin.close();
    process.off('exit', abandon);
    abandon();
    if (lifeline !== null) {
      closeSync(lifeline);
    }
  }
}

// holdLifeline makes a pipe that ends with this process, however it ends, and returns
// its descriptor; null where there are no such pipes. A plugin built on Jackfield leaves
// then (section 10).
function holdLifeline(directory) {
  const pipe = path.join(directory, LIFELINE);
  if (process.platform === 'win32' || spawnSync('mkfifo', ['-m', '600', pipe]).status !== 0) {
    return null;
  }
  return openSync(pipe, 'r+'); // for writing alone, it would wait for a reader
}

// Plugin is a running plugin. client makes a client of generated classes, broker lends
// it services of the host, version is the application's. account is the plugin's own of
// itself: its version, build, library and language, where known.
class Plugin {
  account = {};

  #options;
  #directory;
  #lifeline; // whether there is one
  #child;
  #ended; // a promise of the end of the process and its output
  #clients = [];
  #arguments; // of a client
  #output; // a promise of the end of what it prints
  #lastLines = []; // of stderr

  constructor(options, directory, lifeline) {
    this.#options = options;
    this.#directory = directory;
    this.#lifeline = lifeline;
    this.name = path.basename(options.args.at(-1) ?? options.command);
  }

  get pid() {
    return this.#child.pid;
  }

  // client returns a client whose methods return promises.
  client(Client) {
    return promises(this.streams(Client));
  }

  // streams returns a client as gRPC makes it, for methods with streams.
  streams(Client) {
    const client = new Client(...this.#arguments);
    this.#clients.push(client);
    return client;
  }

  async launch() {
    const { command, args, mutualTLS } = this.#options;
    const identity = mutualTLS ? makeIdentity() : null;
    this.#child = spawn(command, args, { env: this.#environment(identity), stdio: ['ignore', 'pipe', 'pipe'] });
    this.#ended = this.#end();
    this.#readLog();
    const { network, address, certificate } = this.#parse(await this.#handshake());
    if (identity && !certificate) {
      throw new PluginError(`plugin ${this.name} does not support mutual TLS`);
    }
    const tls = identity && { identity, peer: certificate };
    checkAddress({ network, address });
    this.#arguments = channel({ network, address }, tls);
    await this.#connect(`${network} ${address}`);
    this.broker = new Broker(sockets({ PLUGIN_UNIX_SOCKET_DIR: this.#directory }), tls, checkAddress);
    this.broker.open(this.streams(protocol.plugin.GRPCBroker));
    this.#readOutput();
  }

  // ping asks the plugin's health service.
  async ping() {
    const { status } = await promises(this.streams(protocol.grpc.health.v1.Health)).Check({ service: 'plugin' });
    if (status !== 1) {
      throw new PluginError(`plugin ${this.name} is not serving`);
    }
  }

  // close asks the plugin to leave, and kills it if it stays (section 8).
  async close() {
    if (!this.#child?.pid) {
      return;
    }
    if (this.broker) {
      const shutdown = promises(this.streams(protocol.plugin.GRPCController)).Shutdown;
      await within(LEAVE_MILLISECONDS, shutdown({}).catch(() => {}));
      await within(LEAVE_MILLISECONDS, this.#output);
      this.broker.close();
    }
    this.#clients.forEach((client) => client.close());
    if (this.broker) {
      await within(LEAVE_MILLISECONDS, this.#ended);
    }
    if (this.kill()) {
      this.#options.log('warn', `plugin ${this.name} killed: it did not leave`, {});
    }
    const status = await this.#ended;
    this.#child.stdout.destroy(); // a child of the plugin that has them would keep this program
    this.#child.stderr.destroy();
    if (status !== 0) {
      this.#options.log('warn', `plugin ${this.name} ended with ${status}`, {});
    }
  }

  // kill ends the process at once, and reports whether it still ran.
  kill() {
    return this.#child?.exitCode === null && this.#child.signalCode === null && this.#child.kill('SIGKILL');
  }

  // end returns the status or the signal, or the error of a program that cannot be started. A
  // child of the plugin may have the output for longer.
  async #end() {
    const closed = once(this.#child, 'close').catch(() => {});
    try {
      const [status, signal] = await once(this.#child, 'exit');
      await within(LEAVE_MILLISECONDS, closed);
      return status ?? signal;
    } catch (error) {
      return error;
    }
  }

  #environment(identity) {
    const { handshake, versions } = this.#options;
    const inherited = Object.entries(process.env).filter(([name]) => !stale.includes(name));
    return {
      ...Object.fromEntries(inherited),
      [handshake.cookieKey]: handshake.cookieValue,
      PLUGIN_PROTOCOL_VERSIONS: versions.join(','),
      PLUGIN_MIN_PORT: '10000',
      PLUGIN_MAX_PORT: '25000',
      PLUGIN_UNIX_SOCKET_DIR: this.#directory,
      PLUGIN_HANDSHAKE_FIELDS: [...account, `for:${handshake.cookieKey}`].join(','),
      ...(this.#lifeline && { PLUGIN_LIFELINE: LIFELINE }),
      ...(identity && { PLUGIN_CLIENT_CERT: identity.certificate }),
    };
  }

  // handshake waits for the handshake line (section 2).
  async #handshake() {
    const lines = readline.createInterface({ input: this.#child.stdout });
    const found = new Promise((resolve, reject) => {
      let noise = 0;
      lines.on('line', (line) => {
        if (/^\s*\d+\|/.test(line) && line.length <= LINE_CHARACTERS) {
          resolve(line.trim());
        } else if (++noise > NOISE_LINES) {
          reject(new PluginError(this.#describe('wrote no handshake line')));
        }
      });
    });
    const ended = this.#ended.then((status) => {
      const event = status instanceof Error ? `cannot be started: ${status.message}` : `ended without a handshake line (exit status ${status})`;
      throw new PluginError(this.#describe(event));
    });
    ended.catch(() => {}); // later it is no failure of the launch
    const line = await within(LAUNCH_MILLISECONDS, Promise.race([found, ended]));
    if (!line) {
      throw new PluginError(this.#describe('wrote no handshake line in time'));
    }
    return line;
  }

  #parse(line) {
    const refuse = (reason) => new PluginError(`plugin ${this.name}: ${reason}: handshake line "${line.slice(0, 200)}"`);
    const { versions } = this.#options;
    const [core, version, network, address, name = 'netrpc', certificate = '', , ...said] = line.split('|');
    if (core !== '1') {
      throw refuse('it speaks another plugin protocol than version 1');
    }
    if (!/^\d+$/.test(version) || !address) {
      throw refuse('fields are missing or wrong');
    }
    this.version = Number(version);
    if (!versions.includes(this.version)) {
      throw refuse(`it speaks version ${version}, and this host ${versions}`);
    }
    if (name !== 'grpc') {
      throw refuse(`it speaks ${name}, and this host grpc`);
    }
    for (const key of account) {
      const text = said.find((field) => field.startsWith(`${key}=`))?.slice(key.length + 1);
      if (text) {
        const bytes = text.replace(/%[0-9a-f]{2}/gi, (escaped) => String.fromCharCode(parseInt(escaped.slice(1), 16)));
        this.account[key] = Buffer.from(bytes, 'latin1').toString();
      }
    }
    if (certificate.length <= 50) {
      return { network, address }; // shorter ones of old plugins are none
    }
    try {
      const pem = new X509Certificate(Buffer.from(certificate, 'base64')).toString();
      return { network, address, certificate: Buffer.from(pem) };
    } catch {
      throw refuse('its certificate cannot be read');
    }
  }

  #connect(place) {
    const client = this.streams(protocol.plugin.GRPCController);
    return new Promise((resolve, reject) => {
      const failed = () => reject(new PluginError(this.#describe(`does not answer at ${place}`)));
      this.#ended.then(failed);
      client.waitForReady(Date.now() + LAUNCH_MILLISECONDS, (error) => (error ? failed() : resolve()));
    });
  }

  // describe adds the plugin's last words to a failed launch.
  #describe(event) {
    return [`plugin ${this.name} ${event}`, ...this.#lastLines].join('\n  ');
  }

  // readLog turns the lines of the plugin's stderr into records (section 7).
  #readLog() {
    readline.createInterface({ input: this.#child.stderr }).on('line', (line) => {
      let [level, text, attributes] = ['info', line, {}];
      try {
        const { '@level': of, '@message': message = '', '@timestamp': time, ...rest } = JSON.parse(line);
        if (['trace', 'debug', 'info', 'warn', 'error'].includes(of.trim().toLowerCase())) {
          [level, text, attributes] = [of.trim().toLowerCase(), String(message), rest];
        }
      } catch {
        // It is not a record.
      }
      this.#lastLines = [...this.#lastLines, text].slice(-10);
      this.#options.log(level, text, attributes);
    });
  }

  // readOutput copies what the plugin prints (section 6). A plugin need not send it.
  #readOutput() {
    const { stdout, stderr } = this.#options;
    const pieces = this.streams(protocol.plugin.GRPCStdio).StreamStdio({});
    pieces.on('data', ({ channel, data }) => [null, stdout, stderr][channel]?.write(data));
    this.#output = new Promise((resolve) => {
      pieces.on('end', resolve);
      pieces.on('error', resolve);
    });
  }
}

// checkAddress refuses to be sent to another machine.
function checkAddress({ network, address }) {
  const host = address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  const local = host === '::1' || (net.isIPv4(host) && host.startsWith('127.'));
  if (network !== 'unix' && !(network === 'tcp' && local)) {
    throw new PluginError(`the plugin is at ${network} ${address}, which is not this machine`);
  }
}

// within returns the promise's result, or nothing if it takes longer.
async function within(milliseconds, promise) {
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, milliseconds)));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
