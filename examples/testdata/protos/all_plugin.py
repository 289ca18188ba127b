"""The plugin of examples/python with services of its own, from generated code: it has a
second store behind a broker, prints to its host, and leaves when asked."""

import os
import signal
import threading

import serving  # first, as kv_plugin does

import grpc
import kv_plugin
from concurrent import futures
from health.v1 import health_pb2, health_pb2_grpc
from kv.v1 import kv_pb2_grpc
from plugin import broker_pb2, broker_pb2_grpc, controller_pb2, controller_pb2_grpc, stdio_pb2, stdio_pb2_grpc

BROKERED = 1  # the number of the second store


class Health(health_pb2_grpc.HealthServicer):
    def Check(self, request, context):
        return health_pb2.HealthCheckResponse(status=health_pb2.HealthCheckResponse.SERVING)


class Controller(controller_pb2_grpc.GRPCControllerServicer):
    def Shutdown(self, request, context):
        # On this signal serving leaves in order. It waits for it in the main thread.
        signal.pthread_kill(threading.main_thread().ident, signal.SIGTERM)
        return controller_pb2.Empty()


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

    def register(server, _):
        # Registered first, these are served, and not serving's own.
        kv_pb2_grpc.add_StoreServiceServicer_to_server(kv_plugin.Store(), server)
        health_pb2_grpc.add_HealthServicer_to_server(Health(), server)
        controller_pb2_grpc.add_GRPCControllerServicer_to_server(Controller(), server)
        stdio_pb2_grpc.add_GRPCStdioServicer_to_server(Stdio(), server)
        broker_pb2_grpc.add_GRPCBrokerServicer_to_server(broker, server)

    serving.log_to_host()
    serving.serve(kv_plugin.HANDSHAKE, {1: register})


if __name__ == "__main__":
    main()
