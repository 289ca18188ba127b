// The plugin protocol for plugins in JavaScript: cookie, handshake line, health,
// broker, printed output, log and end. Copy this file: it needs @grpc/grpc-js and
// @grpc/proto-loader.
//
// docs/protocol.md of the repository has the rules, by section.

import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';

import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

const CORE_VERSION = 1; // of the plugin protocol, not of the application
const SHUTDOWN_MILLISECONDS = 1000; // for calls in flight; hosts kill after two seconds, by custom
const HOST_MILLISECONDS = 5000; // until a plugin without its host leaves
const OFFER_MILLISECONDS = 5000; // until an offer of the other side has to be there

const noLimit = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };
const loading = { longs: Number, defaults: true };

// loadProtos returns the services in a file of descriptors by their packages:
// protos.kv.v1.StoreService. Numbers of 64 bits are exact up to 2^53.
export function loadProtos(file) {
  const descriptors = JSON.parse(readFileSync(file, 'utf8'));
  return grpc.loadPackageDefinition(protoLoader.loadFileDescriptorSetFromObject(descriptors, loading));
}

// protocol has the services of the plugin protocol itself.
export const protocol = grpc.loadPackageDefinition(protoLoader.fromJSON({ nested: {
  grpc: { nested: { health: { nested: { v1: { nested: {
    Check: message({ service: 'string' }),
    Status: message({ status: 'uint32' }),
    Health: service({ Check: method('Check', 'Status') }),
  } } } } } },
  plugin: { nested: {
    Empty: message({}),
    ConnInfo: message({ serviceId: 'uint32', network: 'string', address: 'string' }),
    StdioData: message({ channel: 'uint32', data: 'bytes' }),
    GRPCController: service({ Shutdown: method('Empty', 'Empty') }),
    GRPCStdio: service({ StreamStdio: method('Empty', 'StdioData', 'responseStream') }),
    GRPCBroker: service({ StartStream: method('ConnInfo', 'ConnInfo', 'requestStream', 'responseStream') }),
  } },
  jackfield: { nested: { stream: { nested: { v1: { nested: {
    Empty: message({}),
    Piece: message({ data: 'bytes' }),
    ByteStreamService: service({ Read: method('Empty', 'Piece', 'responseStream') }),
  } } } } } },
} }, loading));

function message(fields) {
  const numbered = Object.entries(fields).map(([name, type], i) => [name, { type, id: i + 1 }]);
  return { fields: Object.fromEntries(numbered) };
}

function method(requestType, responseType, ...streams) {
  return { requestType, responseType, ...Object.fromEntries(streams.map((stream) => [stream, true])) };
}

function service(methods) {
  return { methods };
}

// serve serves what the highest version in common adds to the server, until the host
// asks the plugin to leave, is gone, or SIGTERM comes. It exits if no host of the
// application has started this program.
//
// handshake is { cookieKey, cookieValue }. versions has a function for each version
// of the application's protocol: it gets the server, and a broker for those that call
// the other side back.
//
// about is for the host to know: version, the plugin's semantic version, build, library,
// and 'requires-host', a constraint on the host's version.
export async function serve(handshake, versions, about = {}) {
  requireHost(handshake);
  const environment = takeEnvironment();
  const account = accountOf(about, handshake, environment);
  // A host that wants mutual TLS (AutoMTLS) sends its certificate (section 3).
  const peer = environment.PLUGIN_CLIENT_CERT;
  const tls = peer ? { identity: makeIdentity(), peer: Buffer.from(peer) } : null;
  const broker = new Broker(sockets(environment), tls);
  const output = new Output();
  const version = choose(Object.keys(versions).map(Number), environment.PLUGIN_PROTOCOL_VERSIONS || '');
  const server = newServer();
  versions[version](server, broker);
  const left = new Promise((leave) => {
    // A terminal's Ctrl-C reaches the host and its plugins alike. The host decides.
    process.on('SIGINT', () => {});
    process.once('SIGTERM', leave);
    addProtocol(server, broker, output, leave);
  });
  const [network, address] = await broker.listen(server, tls);
  output.capture();
  announce(version, network, address, tls, account);
  await left;
  output.close();
  broker.close();
  await stop(server);
}

// requireHost exits unless the cookie is the application's (section 1).
function requireHost({ cookieKey, cookieValue }) {
  if (process.env[cookieKey] === cookieValue) {
    return;
  }
  console.error(
    'This program is a plugin: it is started by the application that uses it,\n' +
      'and is not meant to be run by hand.\n' +
      `(The environment variable ${cookieKey}, by which the application makes\n` +
      'itself known, is missing or has another value.)',
  );
  process.exit(1);
}

// takeEnvironment returns the host's settings and removes them from the
// environment, so that no program that this one starts takes them for its own.
function takeEnvironment() {
  const settings = {};
  for (const name of Object.keys(process.env).filter((name) => name.startsWith('PLUGIN_'))) {
    settings[name] = process.env[name];
    delete process.env[name];
  }
  return settings;
}

// choose returns the highest version in common, or the lowest (section 2).
function choose(versions, asked) {
  const items = asked.split(',').filter((item) => /^\d+$/.test(item)).map(Number);
  const common = versions.filter((version) => items.includes(version));
  return common.length ? Math.max(...common) : Math.min(...versions);
}

// accountOf returns the fields of the line about the plugin that its host asks for
// (section 10). It exits if the host cannot apply the plugin's requirement.
function accountOf(about, { cookieKey }, environment) {
  const [names, ...rest] = (environment.PLUGIN_HANDSHAKE_FIELDS || '').split(',for:');
  const asked = !rest.length || rest.join(',for:') === cookieKey ? names.split(',') : [];
  if (about['requires-host'] && !asked.includes('requires-host')) {
    console.error(`The host does not say its version, and this plugin requires ${about['requires-host']}.`);
    process.exit(1);
  }
  const escape = (text) => Buffer.from(text).toString().replace(/[^ -~]|[%|]/gu, encodeURIComponent);
  return Object.entries({ language: `node ${process.versions.node}`, ...about })
    .filter(([name]) => asked.includes(name))
    .map(([name, text]) => `${name}=${escape(text)}`);
}

// announce writes the one line that the host waits for (section 2), the last thing
// that goes to descriptor 1. The sixth field is the plugin's certificate, if any.
function announce(version, network, address, tls, account) {
  const fields = [CORE_VERSION, version, network, address, 'grpc', tls ? tls.identity.field : ''];
  if (account.length) {
    fields.push('', ...account); // the seventh field is for multiplexing
  }
  process.stdout.constructor.prototype.write.call(process.stdout, fields.join('|') + '\n');
}

// addProtocol adds the services that every plugin has (section 5).
function addProtocol(server, broker, output, leave) {
  server.addService(protocol.grpc.health.v1.Health.service, {
    Check({ request }, callback) {
      const known = ['', 'plugin'].includes(request.service);
      callback(known ? null : { code: grpc.status.NOT_FOUND, details: 'unknown service' }, { status: 1 });
    },
  });
  server.addService(protocol.plugin.GRPCController.service, {
    Shutdown(call, callback) {
      output.close(); // the host reads to its end
      callback(null, {});
      leave(); // after the answer, for which the server waits
    },
  });
  server.addService(protocol.plugin.GRPCStdio.service, { StreamStdio: (call) => output.send(call) });
  server.addService(protocol.plugin.GRPCBroker.service, { StartStream: (call) => broker.serve(call, leave) });
}

// unary makes a handler of a function that returns the answer, or a promise of it. A
// failed call at the other side is also the answer of the plugin's own call.
export function unary(answer) {
  return async (call, callback) => {
    try {
      callback(null, await answer(call.request, call));
    } catch (error) {
      callback({ code: error.code ?? grpc.status.UNKNOWN, details: error.details ?? error.message });
    }
  };
}

// Broker connects the two sides by IDs, which travel in messages of the application:
// one side lends a service, and the other borrows it (section 5).
export class Broker {
  static kept = 1000; // offers of the other side

  #tls;
  #check;
  #next = 1;
  #offers = new Map(); // by ID: an offer, or those that wait for it
  #unsent = [];
  #stream = null;

  // listen lets a server listen, and returns the network and the address. check
  // throws if an offer is refused.
  constructor(listen, tls, check = () => {}) {
    this.listen = listen;
    this.#tls = tls;
    this.#check = check;
  }

  // borrow calls use with a client of the service that the other side lends. Client is
  // its class; the client's methods return promises.
  async borrow(id, Client, use) {
    const client = await this.dial(id, Client);
    try {
      return await use(promises(client));
    } finally {
      client.close();
    }
  }

  // borrowReader calls use with a Readable of the bytes of a reader that a host built
  // on Jackfield lends (section 10).
  async borrowReader(id, use) {
    const client = await this.dial(id, protocol.jackfield.stream.v1.ByteStreamService);
    const pieces = client.Read({});
    try {
      return await use(Readable.from(data(pieces), { objectMode: false }));
    } finally {
      pieces.on('error', () => {}); // of the cancelled call
      pieces.cancel();
      client.close();
    }
  }

  // lend serves what register adds to a server, and calls use with the ID.
  async lend(register, use) {
    const server = newServer();
    register(server);
    const [network, address] = await this.listen(server, this.#tls);
    const serviceId = this.#next++;
    this.#send({ serviceId, network, address });
    try {
      return await use(serviceId);
    } finally {
      server.forceShutdown();
    }
  }

  // lendReader lends bytes, piece by piece, as a reader: once (section 10).
  lendReader(pieces, use) {
    const read = (call) => {
      const failed = (error) => call.emit('error', { code: grpc.status.UNKNOWN, details: error.message });
      Readable.from(pieces).map((data) => ({ data })).on('error', failed).pipe(call);
    };
    const { service } = protocol.jackfield.stream.v1.ByteStreamService;
    return this.lend((server) => server.addService(service, { Read: read }), use);
  }

  // dial returns a client of the ID. The offer may come later than the ID.
  async dial(id, Client) {
    const offer = await this.#offer(id);
    this.#check(offer);
    return new Client(...channel(offer, this.#tls));
  }

  #offer(id) {
    const known = this.#offers.get(id);
    if (known && !Array.isArray(known)) {
      return known;
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#offers.delete(id);
        reject(new Error(`the other side has not offered the broker ID ${id}`));
      }, OFFER_MILLISECONDS);
      const found = (offer) => {
        clearTimeout(timer);
        resolve(offer);
      };
      this.#offers.set(id, [...(known ?? []), found]);
    });
  }

  // serve is the plugin's side of the control stream. A host that has lost its
  // connection opens the stream anew; lost is called if none does.
  serve(call, lost) {
    const resumes = new grpc.Metadata();
    resumes.set('jackfield-broker-resumes', 'true');
    call.sendMetadata(resumes);
    if (this.#stream) {
      this.#offers.clear();
    }
    const ended = () => {
      call.end();
      setTimeout(() => this.#stream === call && lost(), HOST_MILLISECONDS).unref();
    };
    call.on('end', ended);
    call.on('cancelled', ended);
    this.#use(call);
  }

  // open is the host's side of the control stream. A plugin need not have it.
  open(client) {
    this.#use(client.StartStream());
  }

  #use(stream) {
    this.#stream = stream;
    stream.on('error', () => {});
    stream.on('data', (offer) => {
      const waiting = this.#offers.get(offer.serviceId);
      this.#offers.set(offer.serviceId, offer);
      if (Array.isArray(waiting)) {
        waiting.forEach((found) => found(offer));
      }
      if (this.#offers.size > Broker.kept) {
        this.#offers.delete(this.#offers.keys().next().value);
      }
    });
    this.#unsent.splice(0).forEach((offer) => stream.write(offer));
  }

  #send(offer) {
    if (this.#stream) {
      this.#stream.write(offer);
    } else {
      this.#unsent.push(offer);
    }
  }

  // close ends the control stream, for which a server waits.
  close() {
    this.#stream?.end();
  }
}

async function* data(pieces) {
  for await (const piece of pieces) {
    yield piece.data;
  }
}

// promises returns the client with methods that return promises. Other names are the
// client's own: await asks for "then", and console.log for symbols.
export function promises(client) {
  const get = (target, name) =>
    typeof target[name] === 'function' && typeof name === 'string' ? promisify(target[name].bind(target)) : target[name];
  return new Proxy(client, { get });
}

// Output is what the plugin prints, for the host (section 6): by console.log, or else
// by process.stdout.write. Stderr is for the log.
class Output {
  static kept = 1000; // pieces until the host reads

  #pieces = [];
  #call = null;
  #closed = false;

  capture() {
    process.stdout.write = (chunk, encoding, callback) => {
      const data = typeof chunk === 'string' ? Buffer.from(chunk, encoding?.trim ? encoding : 'utf8') : Buffer.from(chunk);
      const done = typeof encoding === 'function' ? encoding : callback;
      if (this.#closed) {
        process.stderr.write(data);
      } else if (this.#call) {
        this.#call.write({ channel: 1, data });
      } else if (this.#pieces.push(data) > Output.kept) {
        process.stderr.write(this.#pieces.shift());
      }
      done?.();
      return true;
    };
  }

  // send is StreamStdio: the host calls it once.
  send(call) {
    this.#call = call;
    call.on('cancelled', () => (this.#call = null));
    this.#pieces.splice(0).forEach((data) => call.write({ channel: 1, data }));
  }

  // close ends the stream behind the rest. What is printed later goes into the log.
  close() {
    this.#closed = true;
    this.#call?.end();
    this.#call = null;
  }
}

// sockets returns a function that lets a server listen where the host wants it.
export function sockets(environment) {
  const directory = environment.PLUGIN_UNIX_SOCKET_DIR;
  const first = Number(environment.PLUGIN_MIN_PORT || 0);
  const last = Number(environment.PLUGIN_MAX_PORT || 0);
  let count = 0;
  return async (server, tls) => {
    const bind = (address) => promisify(server.bindAsync.bind(server))(address, serverCredentials(tls));
    // A socket in a directory of the host's own is out of other users' reach, which a
    // port is not.
    if (directory && process.platform !== 'win32' && !directory.includes('|')) {
      const socket = path.join(directory, `node-${process.pid}-${++count}.sock`);
      await bind(`unix:${socket}`);
      return ['unix', socket];
    }
    for (let port = first; port <= last; port++) {
      // 0 to 0: the system picks one
      try {
        return ['tcp', `127.0.0.1:${await bind(`127.0.0.1:${port}`)}`];
      } catch {
        // The port is taken.
      }
    }
    throw new Error(`no port from ${first} to ${last} is free`);
  };
}

function newServer() {
  return new grpc.Server(noLimit);
}

// stop ends the server when the calls in flight have finished, or had time to.
async function stop(server) {
  const impatience = setTimeout(() => server.forceShutdown(), SHUTDOWN_MILLISECONDS);
  await promisify(server.tryShutdown.bind(server))().catch(() => {});
  clearTimeout(impatience);
}

// serverCredentials returns what a server proves itself with. Under mutual TLS the
// other side's certificate is required of whoever connects, and no other is taken.
function serverCredentials(tls) {
  if (!tls) {
    return grpc.ServerCredentials.createInsecure();
  }
  const pair = { private_key: Buffer.from(tls.identity.key), cert_chain: Buffer.from(tls.identity.certificate) };
  return grpc.ServerCredentials.createSsl(tls.peer, [pair], true);
}

// channel returns a client's arguments for an address.
export function channel({ network, address }, tls) {
  const target = network === 'unix' ? `unix:${address}` : address;
  const options = { ...noLimit, 'grpc.enable_http_proxy': 0, 'grpc.default_authority': 'localhost' };
  if (!tls) {
    return [target, grpc.credentials.createInsecure(), options];
  }
  const { key, certificate } = tls.identity;
  const credentials = grpc.credentials.createSsl(tls.peer, Buffer.from(key), Buffer.from(certificate));
  return [target, credentials, { ...options, 'grpc.ssl_target_name_override': 'localhost' }];
}

// logger returns functions that write lines which hosts turn back into records
// (section 7): logger('kv').info('stored a value', { key }). The host chooses what
// to keep. The time needs six digits after the second, or it is not read as one.
export function logger(module) {
  const write = (level) => (message, attributes) =>
    process.stderr.write(
      JSON.stringify({
        '@level': level,
        '@message': message,
        '@module': module,
        '@timestamp': new Date().toISOString().replace('Z', '000Z'),
        ...attributes,
      }) + '\n',
    );
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') };
}

// Below is the certificate for this one run. Node's library makes keys and
// signatures, but no certificates, so this writes one down: a few values, each behind
// its type and its length (DER, ITU-T X.690; the form of a certificate is in RFC 5280).

const DAY = 24 * 60 * 60 * 1000;

// The names of what is in the certificate, as object identifiers.
const COMMON_NAME = '550403';
const ECDSA_WITH_SHA256 = '2a8648ce3d040302';
const KEY_USAGE = '551d0f';
const SUBJECT_ALT_NAME = '551d11';
const BASIC_CONSTRAINTS = '551d13';
const EXTENDED_KEY_USAGE = '551d25';
const SERVER_AUTH = '2b06010505070301';
const CLIENT_AUTH = '2b06010505070302';

// makeIdentity makes what every TLS library takes: a key on P-256 and a certificate
// of its own for localhost, that is no CA (section 3 of docs/protocol.md). key and
// certificate are in PEM; field is the certificate as the sixth field of the
// handshake line has it.
export function makeIdentity() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(oid(ECDSA_WITH_SHA256));
  const name = sequence(set(sequence(oid(COMMON_NAME), text('localhost'))));
  const now = Date.now();
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))), // version 3
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])), // a positive serial number
    algorithm,
    name,
    sequence(time(now - DAY / 24), time(now + 365 * DAY)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(
      extension(BASIC_CONSTRAINTS, true, sequence()), // no CA
      extension(KEY_USAGE, true, bits(Buffer.from([0x80]), 7)), // signatures
      extension(EXTENDED_KEY_USAGE, false, sequence(oid(SERVER_AUTH), oid(CLIENT_AUTH))),
      extension(SUBJECT_ALT_NAME, false, sequence(der(0x82, Buffer.from('localhost')))),
    )),
  );
  const certificate = sequence(body, algorithm, bits(sign('sha256', body, privateKey), 0));
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    certificate: pem(certificate),
    field: certificate.toString('base64').replaceAll('=', ''),
  };
}

// der is a value behind its type and its length.
function der(type, ...parts) {
  const value = Buffer.concat(parts);
  const n = value.length;
  const length = n < 0x80 ? [n] : n < 0x100 ? [0x81, n] : [0x82, n >> 8, n & 0xff];
  return Buffer.concat([Buffer.from([type, ...length]), value]);
}

const sequence = (...parts) => der(0x30, ...parts);
const set = (...parts) => der(0x31, ...parts);
const integer = (bytes) => der(0x02, bytes);
const oid = (hex) => der(0x06, Buffer.from(hex, 'hex'));
const text = (string) => der(0x0c, Buffer.from(string));
const bits = (bytes, unused) => der(0x03, Buffer.from([unused]), bytes);

// time is good from 1950 to 2049: 20260102030405Z without its first two digits.
const time = (when) =>
  der(0x17, Buffer.from(new Date(when).toISOString().replace(/\.\d+|[-:T]/g, '').slice(2)));

const extension = (id, critical, value) =>
  sequence(oid(id), ...(critical ? [der(0x01, Buffer.from([0xff]))] : []), der(0x04, value));

function pem(certificate) {
  const lines = certificate.toString('base64').match(/.{1,64}/g);
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
