#!/usr/bin/env node
// A plugin of the key-value host of examples/grpc: it keeps the values in a Map.

import grpc from '@grpc/grpc-js';

import { loadProtos, logger, serve } from './serving.js';

const { kv } = loadProtos(new URL('descriptors.json', import.meta.url));

// What the host's Go package examples/grpc/kv says too.
const handshake = { cookieKey: 'JACKFIELD_KV_PLUGIN', cookieValue: 'c04d2f1e' };

const log = logger('kv');
const values = new Map();

const store = {
  Put({ request }, callback) {
    values.set(request.key, request.value);
    log.info('stored a value', { key: request.key, bytes: request.value.length });
    callback(null, {});
  },

  Get({ request }, callback) {
    const value = values.get(request.key);
    if (value === undefined) {
      callback({ code: grpc.status.NOT_FOUND, details: `no value under "${request.key}"` });
      return;
    }
    callback(null, { value });
  },
};

const register = (server) => server.addService(kv.v1.StoreService.service, store);
await serve(handshake, { 1: register }, { version: '1.0.2' });
log.debug('leaving');
