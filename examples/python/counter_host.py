#!/usr/bin/env python3
"""The host of ``examples/bidirectional`` in Python: it passes its own adder and a
reader of its own to the plugin that its arguments name, in any language."""

import logging
import os
import signal
import sys

import hosting  # first, since it finds the generated code
from serving import Handshake

import grpc
from counter.v1 import counter_pb2, counter_pb2_grpc

# What the plugins say too.
HANDSHAKE = Handshake("JACKFIELD_BIDIRECTIONAL_PLUGIN", "5e6b80d7")


class Adder(counter_pb2_grpc.AdderServiceServicer):
    """Runs in the host."""

    def Sum(self, request, context):
        total = request.a + request.b
        if total > 10:
            context.abort(grpc.StatusCode.OUT_OF_RANGE, "the host counts to ten only")
        print(f"called back in process {os.getpid()}: {request.a} and {request.b} make {total}")
        return counter_pb2.SumResponse(sum=total)


def count(plugin):
    print(f"the host is process {os.getpid()}, the plugin process {plugin.process.pid}")
    counter = counter_pb2_grpc.CounterServiceStub(plugin.channel)

    def register(server):
        counter_pb2_grpc.add_AdderServiceServicer_to_server(Adder(), server)

    def add(amount):
        # The plugin can use the adder as long as this call takes.
        with plugin.broker.lend(register) as adder_id:
            return counter.Add(counter_pb2.AddRequest(key="apples", amount=amount, adder_id=adder_id)).sum

    for amount in (2, 5):
        print(f"the plugin answers: {add(amount)} apples")
    try:
        add(5)
    except grpc.RpcError as error:
        print("the host's own error, by way of the plugin:", error.details())

    with plugin.broker.lend_reader([b"the host has this text, ", b"and the plugin reads it"]) as text_id:
        words = counter.CountWords(counter_pb2.CountWordsRequest(text_id=text_id)).words
    print(f"the plugin has read {words} words")


def main():
    if len(sys.argv) < 2:
        sys.exit("usage: counter_host.py path/to/counter-plugin")
    # Without this, SIGTERM ends the host before it has ended the plugin.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.INFO)
    try:
        with hosting.launch(sys.argv[1:], HANDSHAKE) as plugin:
            count(plugin)
    except hosting.PluginError as error:
        sys.exit(f"error: {error}")
    print("the plugin has left")


if __name__ == "__main__":
    main()
