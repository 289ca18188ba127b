// A certificate for this one run, and its key. Node's library makes keys and
// signatures, but no certificates, so this writes one down: a few values, each
// behind its type and its length (DER, ITU-T X.690; the form of a certificate is in
// RFC 5280).

import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

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
