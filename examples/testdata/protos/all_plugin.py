"""The plugin of examples/python with the services that it leaves out: it has a second
store behind a broker, and prints to its host."""

import os

import serving  # first, as kv_plugin does

import grpc
import kv_plugin
from concurrent import futures
from kv.v1 import kv_pb2_grpc
from plugin import broker_pb2, broker_pb2_grpc, stdio_pb2, stdio_pb2_grpc

BROKERED = 1  # the number of the second store


class Stdio(stdio_pb2_grpc.GRPCStdioServicer):
    def StreamStdio(self, request, context):
        for piece in (b"a line of ", b"the plugin\n"):
            yield stdio_pb2.StdioData(channel=stdio_pb2.StdioData.STDOUT, data=piece)


class Broker(broker_pb2_grpc.GRPCBrokerServicer):
    def __init__(self, directory):
        self._path = os.path.join(directory, "second.sock")

    def StartStream(self, request_iterator, context):
        server = grpc.server(futures.ThreadPoolExecutor(max_workers=2))
        kv_pb2_grpc.add_StoreServiceServicer_to_server(kv_plugin.Store(), server)
        server.add_insecure_port(f"unix:{self._path}")
        server.start()
        yield broker_pb2.ConnInfo(service_id=BROKERED, network="unix", address=self._path)
        for _ in request_iterator:  # until the host closes it
            pass
        server.stop(0).wait()


def main():
    broker = Broker(os.environ.get("PLUGIN_UNIX_SOCKET_DIR", ""))  # serving takes it away

    def register(server):
        kv_pb2_grpc.add_StoreServiceServicer_to_server(kv_plugin.Store(), server)
        stdio_pb2_grpc.add_GRPCStdioServicer_to_server(Stdio(), server)
        broker_pb2_grpc.add_GRPCBrokerServicer_to_server(broker, server)

    serving.log_to_host()
    serving.serve(kv_plugin.HANDSHAKE, register)


if __name__ == "__main__":
    main()
