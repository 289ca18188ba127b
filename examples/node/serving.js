// What every plugin does, whatever it serves: know its host, listen, announce
// itself, say that it is well, leave when asked, and log.
//
// docs/protocol.md of the repository has the rules, by section. A plugin over gRPC
// need not do more than this. A host's broker and its channel for printed output
// (plugin.GRPCBroker and plugin.GRPCStdio) are optional: a host takes it well if
// they are not there.

import { Console } from 'node:console';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';

import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';
import { HealthImplementation } from 'grpc-health-check';

import { makeIdentity } from './identity.js';

const CORE_VERSION = 1; // of the plugin protocol, not of the application
const SHUTDOWN_MILLISECONDS = 1000; // for calls in flight; hosts kill after two seconds, by custom

// The services, as `npm run generate` writes them down.
const descriptors = JSON.parse(readFileSync(new URL('descriptors.json', import.meta.url), 'utf8'));

// protos has the services by their packages: protos.kv.v1.StoreService.
export const protos = grpc.loadPackageDefinition(
  protoLoader.loadFileDescriptorSetFromObject(descriptors, { longs: String, defaults: true }),
);

// serve serves what register adds to the server, until the host asks the plugin to
// leave or SIGTERM comes. It exits if no host of the application has started this
// program.
//
// handshake is { cookieKey, cookieValue, appVersion }. A plugin that speaks several
// versions of the application's protocol chooses the highest that is also in
// PLUGIN_PROTOCOL_VERSIONS (section 2).
export async function serve(handshake, register) {
  requireHost(handshake);
  const environment = takeEnvironment();
  const server = new grpc.Server({
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
  });
  const left = new Promise((resolve) => {
    const leave = () => stop(server).then(resolve);
    // A terminal's Ctrl-C reaches the host and its plugins alike. The host decides.
    process.on('SIGINT', () => {});
    process.once('SIGTERM', leave);
    server.addService(protos.plugin.GRPCController.service, {
      Shutdown(call, callback) {
        callback(null, {});
        leave(); // after the answer, for which it waits
      },
    });
  });
  new HealthImplementation({ '': 'SERVING', plugin: 'SERVING' }).addToServer(server);
  register(server);
  // A host that wants mutual TLS (AutoMTLS) sends its certificate (section 3).
  const hostCertificate = environment.PLUGIN_CLIENT_CERT;
  const identity = hostCertificate ? makeIdentity() : null;
  const credentials = serverCredentials(identity, hostCertificate);
  const [network, address] = await listen(server, environment, credentials);
  announce(handshake, network, address, identity);
  await left;
}

// requireHost exits unless the cookie is the application's (section 1).
function requireHost({ cookieKey, cookieValue }) {
  if (process.env[cookieKey] !== cookieValue) {
    fail(
      'This program is a plugin: it is started by the application that uses it,\n' +
        'and is not meant to be run by hand.\n' +
        `(The environment variable ${cookieKey}, by which the application makes\n` +
        'itself known, is missing or has another value.)',
    );
  }
}

function fail(text) {
  console.error(text);
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

// listen listens where the host wants it, and returns the network and the address
// to announce.
async function listen(server, environment, credentials) {
  const bind = (address) => promisify(server.bindAsync.bind(server))(address, credentials);

  // A socket in a directory of the host's own is out of other users' reach, which a
  // port is not.
  const directory = environment.PLUGIN_UNIX_SOCKET_DIR;
  if (directory && process.platform !== 'win32' && !directory.includes('|')) {
    const socket = path.join(directory, `node-${process.pid}.sock`);
    await bind(`unix:${socket}`);
    return ['unix', socket];
  }

  const first = Number(environment.PLUGIN_MIN_PORT || 0);
  const last = Number(environment.PLUGIN_MAX_PORT || 0);
  for (let port = first; port <= last; port++) {
    // 0 to 0: the system picks one
    try {
      return ['tcp', `127.0.0.1:${await bind(`127.0.0.1:${port}`)}`];
    } catch {
      // The port is taken.
    }
  }
  return fail(`no port from ${first} to ${last} is free`);
}

// serverCredentials returns what the server proves itself with: nothing, unless the
// host wants mutual TLS. Then the host's certificate is required of whoever
// connects, and no other is taken.
function serverCredentials(identity, hostCertificate) {
  if (!identity) {
    return grpc.ServerCredentials.createInsecure();
  }
  const pair = { private_key: Buffer.from(identity.key), cert_chain: Buffer.from(identity.certificate) };
  return grpc.ServerCredentials.createSsl(Buffer.from(hostCertificate), [pair], true);
}

// announce writes the one line that the host waits for (section 2), the last thing
// that goes to stdout. The sixth field is the plugin's certificate, if there is one.
function announce({ appVersion }, network, address, identity) {
  const fields = [CORE_VERSION, appVersion, network, address, 'grpc', identity ? identity.field : ''];
  process.stdout.write(fields.join('|') + '\n');
  globalThis.console = new Console(process.stderr); // so console.log ends up in the host's log
}

// stop ends the server when the calls in flight have finished, or had time to.
async function stop(server) {
  const impatience = setTimeout(() => server.forceShutdown(), SHUTDOWN_MILLISECONDS);
  await promisify(server.tryShutdown.bind(server))().catch(() => {});
  clearTimeout(impatience);
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
