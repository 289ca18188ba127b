"""The common part of plugins in Python: copy this file and notely.binpb. It
needs Python 3.9, grpcio, protobuf, and the openssl program for certificates. The
plugin protocol is that of hashicorp/go-plugin."""

import base64
import contextlib
import json
import logging
import os
import pkgutil
import signal
import ssl
import subprocess
import sys
import threading
import types
from concurrent import futures
from datetime import datetime, timezone

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

# notely.binpb has the application's messages. Of the plugin protocol only
# ConnInfo is needed: the host announces with it where it serves a lent service.
POOL = descriptor_pool.DescriptorPool()
FILES = descriptor_pb2.FileDescriptorSet.FromString(pkgutil.get_data("serving", "notely.binpb")).file
CONN_INFO = descriptor_pb2.DescriptorProto(name="ConnInfo")
for number, (field, kind) in enumerate([("service_id", 13), ("network", 9), ("address", 9)], start=1):
    CONN_INFO.field.add(name=field, number=number, type=kind, label=1)
FILES.add(name="plugin/broker.proto", package="plugin", syntax="proto3", message_type=[CONN_INFO])
for file in FILES:
    POOL.AddSerializedFile(file.SerializeToString())
# gRPC's own limit is 4 MiB.
NO_LIMIT = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
SERVICES = {f"{file.package}.{service.name}": service for file in FILES for service in file.service}


def message(name):
    """Returns the class of a message, such as "notely.v2.Item"."""
    descriptor = POOL.FindMessageTypeByName(name)
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(POOL).GetPrototype(descriptor)  # before protobuf 4.22


def methods(service):
    """Yields the name, kind, request class and response class of each method."""
    for method in SERVICES[service].method:
        kind = "stream_" if method.client_streaming else "unary_"
        kind += "stream" if method.server_streaming else "unary"
        yield method.name, kind, message(method.input_type[1:]), message(method.output_type[1:])


def handler(service, servicer):
    """Makes a handler from an object with all methods of the service."""
    return grpc.method_handlers_generic_handler(service, {
        name: getattr(grpc, f"{kind}_rpc_method_handler")(
            getattr(servicer, name), request.FromString, response.SerializeToString)
        for name, kind, request, response in methods(service)
    })


def client(service, channel):
    """Makes an object with all methods of the service."""
    return types.SimpleNamespace(**{
        name: getattr(channel, kind)(f"/{service}/{name}", request.SerializeToString, response.FromString)
        for name, kind, request, response in methods(service)
    })


class Broker:
    """Connects to the services that the host lends to a call."""

    def __init__(self, credentials):
        self._credentials, self._offers, self._changed = credentials, {}, threading.Condition()
        self.close = lambda: None

    def StartStream(self, requests, context):
        self.close = context.cancel
        for offer in requests:
            with self._changed:
                self._offers[offer.service_id] = offer
                self._changed.notify_all()
        yield from ()

    @contextlib.contextmanager
    def borrow(self, number, service, context):
        """Yields a client of the service with this ID. If a call to the host
        fails, the plugin's own call ends with the same status."""
        with self._changed:
            if not self._changed.wait_for(lambda: number in self._offers, timeout=5):
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"the host has not offered ID {number}")
            offer = self._offers.pop(number)
        address = ("unix:" if offer.network == "unix" else "") + offer.address
        options = [("grpc.ssl_target_name_override", "localhost"), *NO_LIMIT]
        with grpc.secure_channel(address, self._credentials, options) as channel:
            try:
                yield client(service, channel)
            except grpc.RpcError as error:
                context.abort(error.code(), error.details())


def serve(name, version, cookie, provides, versions):
    """Runs the plugin until the host ends it. provides is the name under which the
    host asks. versions has the services of each protocol version: by full name, a
    function that takes the broker and returns an object with the methods."""
    if sys.argv[1:] == ["describe"] and cookie[0] not in os.environ:
        protocols = [{"version": v, "transports": ["grpc"], "services": [provides]} for v in sorted(versions)]
        print(json.dumps({"describe": 1, "name": name, "version": version, "protocols": protocols}))
        return
    if os.environ.pop(cookie[0], None) != cookie[1]:
        sys.exit(f"This program is a plugin: its application starts it, and sets {cookie[0]}.")
    host = {key: os.environ.pop(key) for key in list(os.environ) if key.startswith("PLUGIN_")}
    log_to_host()
    leave = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the host's matter
    signal.signal(signal.SIGTERM, lambda *_: leave.set())

    if "PLUGIN_CLIENT_CERT" not in host or "PLUGIN_UNIX_SOCKET_DIR" not in host:
        sys.exit("The application must use AutoMTLS and unix sockets.")
    theirs = host["PLUGIN_CLIENT_CERT"].encode()
    key, ours = make_certificate()
    offered = {int(v) for v in host.get("PLUGIN_PROTOCOL_VERSIONS", "").split(",") if v.isdigit()}
    agreed = max(offered & set(versions) or versions)
    broker = Broker(grpc.ssl_channel_credentials(theirs, key, ours))
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=NO_LIMIT)
    server.add_generic_rpc_handlers([handler(service, make(broker)) for service, make in versions[agreed].items()])
    server.add_generic_rpc_handlers(protocol_handlers(broker, leave))
    address = os.path.join(host["PLUGIN_UNIX_SOCKET_DIR"], "python.sock")
    server.add_secure_port(f"unix:{address}", grpc.ssl_server_credentials([(key, ours)], theirs, True))
    server.start()
    certificate = base64.b64encode(ssl.PEM_cert_to_DER_cert(ours.decode())).decode().rstrip("=")
    print(1, agreed, "unix", address, "grpc", certificate, sep="|", flush=True)
    sys.stdout = sys.stderr  # what is printed goes into the host's log
    leave.wait()
    broker.close()  # otherwise the server waits for its stream
    server.stop(1).wait()


def protocol_handlers(broker, leave):
    """The plugin protocol's services. b"\\x08\\x01" is SERVING, b"" is Empty."""
    unary, stream = grpc.unary_unary_rpc_method_handler, grpc.stream_stream_rpc_method_handler
    start = stream(broker.StartStream, message("plugin.ConnInfo").FromString)
    return [
        grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": unary(lambda *_: b"\x08\x01")}),
        grpc.method_handlers_generic_handler("plugin.GRPCController", {"Shutdown": unary(lambda *_: leave.set() or b"")}),
        grpc.method_handlers_generic_handler("plugin.GRPCBroker", {"StartStream": start}),
    ]


def make_certificate():
    """Returns a key and a certificate for this run. They are in no file."""
    command = "openssl req -x509 -config /dev/null -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365"
    command += " -keyout /dev/stdout -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    command += " -addext basicConstraints=critical,CA:FALSE -addext keyUsage=critical,digitalSignature"
    command += " -addext extendedKeyUsage=serverAuth,clientAuth"
    made = subprocess.run(command.split(), capture_output=True, check=False)
    if made.returncode != 0:
        sys.exit(f"openssl made no certificate:\n{made.stderr.decode(errors='replace')}")
    begin = made.stdout.index(b"-----BEGIN CERTIFICATE-----")
    return made.stdout[:begin], made.stdout[begin:]


class LogFormatter(logging.Formatter):
    """Formats records as the host reads them; what is in extra is an attribute."""

    STANDARD = vars(logging.makeLogRecord({}))

    def format(self, record):
        line = {key: value for key, value in vars(record).items() if key not in self.STANDARD}
        line["@level"] = {"WARNING": "warn", "CRITICAL": "error"}.get(record.levelname, record.levelname.lower())
        line["@message"], line["@module"] = record.getMessage(), record.name
        line["@timestamp"] = datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="microseconds")
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def log_to_host():
    """Sends all logging to the host, by way of stderr. The host chooses what to keep."""
    stderr = logging.StreamHandler(sys.stderr)
    stderr.setFormatter(LogFormatter())
    logging.basicConfig(level=logging.DEBUG, handlers=[stderr], force=True)
