#!/usr/bin/env python3
"""A plugin of the key-value host of ``examples/grpc``: it keeps the values in a
dictionary."""

import logging

import serving  # first, since it finds the generated code

import grpc
from kv.v1 import kv_pb2, kv_pb2_grpc

# What the host's Go package examples/grpc/kv says too.
HANDSHAKE = serving.Handshake("JACKFIELD_KV_PLUGIN", "c04d2f1e")

log = logging.getLogger("kv")


class Store(kv_pb2_grpc.StoreServiceServicer):
    """Calls come on several threads; each does one thing to the dictionary."""

    def __init__(self):
        self._values = {}

    def Put(self, request, context):
        self._values[request.key] = request.value
        log.info("stored a value", extra={"key": request.key, "bytes": len(request.value)})
        return kv_pb2.PutResponse()

    def Get(self, request, context):
        value = self._values.get(request.key)
        if value is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f"no value under {request.key!r}")
        return kv_pb2.GetResponse(value=value)


def register(server, broker):
    kv_pb2_grpc.add_StoreServiceServicer_to_server(Store(), server)


def main() -> None:
    serving.log_to_host()
    serving.serve(HANDSHAKE, {1: register}, {"version": "1.0.2"})
    log.debug("leaving")


if __name__ == "__main__":
    main()
