#!/usr/bin/env python3
"""A plugin of the host of ``examples/bidirectional`` that calls it back: the host
adds, and has the text whose words are counted."""

import threading

import serving  # first, since it finds the generated code

from counter.v1 import counter_pb2, counter_pb2_grpc

# What the host's Go package examples/bidirectional/counter says too.
HANDSHAKE = serving.Handshake("JACKFIELD_BIDIRECTIONAL_PLUGIN", "5e6b80d7")


class Counter(counter_pb2_grpc.CounterServiceServicer):
    def __init__(self, broker):
        self._broker, self._lock, self._counts = broker, threading.Lock(), {}

    def Add(self, request, context):
        adder_of_host = self._broker.borrow(request.adder_id, counter_pb2_grpc.AdderServiceStub, context)
        with self._lock, adder_of_host as adder:
            count = self._counts.get(request.key, 0)
            sum_ = adder.Sum(counter_pb2.SumRequest(a=count, b=request.amount)).sum
            self._counts[request.key] = sum_
        return counter_pb2.AddResponse(sum=sum_)

    def CountWords(self, request, context):
        with self._broker.borrow_reader(request.text_id) as text:
            words = sum(len(line.split()) for line in text)
        return counter_pb2.CountWordsResponse(words=words)


def register(server, broker):
    counter_pb2_grpc.add_CounterServiceServicer_to_server(Counter(broker), server)


if __name__ == "__main__":
    serving.log_to_host()
    serving.serve(HANDSHAKE, {1: register}, {"version": "1.4.2"})
