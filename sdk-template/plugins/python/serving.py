"""What every plugin of notely in Python does: take this file and notely.binpb
along. It needs Python 3.9 with grpcio and protobuf, and the openssl program for
certificates. The plugin protocol is that of hashicorp/go-plugin."""

import base64
import contextlib
import functools
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

# What plugins serve is in notely.binpb. Of the plugin protocol itself only
# ConnInfo is needed, which tells where the host serves what it lends.
POOL = descriptor_pool.DescriptorPool()
SERVICES = {}
FILES = descriptor_pb2.FileDescriptorSet.FromString(pkgutil.get_data("serving", "notely.binpb"))
fields = [("service_id", "TYPE_UINT32"), ("network", "TYPE_STRING"), ("address", "TYPE_STRING")]
fields = [
    {"name": name, "number": number, "type": kind, "label": "LABEL_OPTIONAL"}
    for number, (name, kind) in enumerate(fields, start=1)
]
FILES.file.add(
    name="plugin/broker.proto", package="plugin", syntax="proto3", message_type=[{"name": "ConnInfo", "field": fields}]
)
for file in FILES.file:
    POOL.AddSerializedFile(file.SerializeToString())
    SERVICES.update({f"{file.package}.{service.name}": service for service in file.service})


@functools.lru_cache(maxsize=None)
def message(name):
    """Returns the class of a message, such as "notely.v2.Item"."""
    descriptor = POOL.FindMessageTypeByName(name)
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(POOL).GetPrototype(descriptor)  # before protobuf 4.22


def methods(service):
    """Yields of each method its name, kind, request class and response class."""
    for method in SERVICES[service].method:
        kind = "stream_" if method.client_streaming else "unary_"
        kind += "stream" if method.server_streaming else "unary"
        yield method.name, kind, message(method.input_type[1:]), message(method.output_type[1:])


def handler(service, servicer):
    """Ties an object with a method for each of the service's to the server."""
    handlers = {
        name: getattr(grpc, f"{kind}_rpc_method_handler")(
            getattr(servicer, name), request.FromString, response.SerializeToString
        )
        for name, kind, request, response in methods(service)
    }
    return grpc.method_handlers_generic_handler(service, handlers)


def client(service, channel):
    """Returns an object with a method for each of the service's."""
    return types.SimpleNamespace(**{
        name: getattr(channel, kind)(f"/{service}/{name}", request.SerializeToString, response.FromString)
        for name, kind, request, response in methods(service)
    })


class Broker:
    """Connects to what the host lends to a call."""

    def __init__(self, credentials):
        self._credentials = credentials
        self._offers = {}
        self._changed = threading.Condition()
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
        """Yields a client of what the host serves under a number. Where a call to
        the host fails, the plugin's own call ends with the same status."""
        with self._changed:
            if not self._changed.wait_for(lambda: number in self._offers, timeout=5):
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"the host has not offered number {number}")
            offer = self._offers.pop(number)
        address = ("unix:" if offer.network == "unix" else "") + offer.address
        options = [("grpc.ssl_target_name_override", "localhost")]
        with (
            grpc.secure_channel(address, self._credentials, options)
            if self._credentials
            else grpc.insecure_channel(address)
        ) as channel:
            try:
                yield client(service, channel)
            except grpc.RpcError as error:
                context.abort(error.code(), error.details())


def serve(name, version, cookie, versions, provides):
    """Runs the plugin until the host ends it. versions has the services of each
    protocol version: by full name, a function that takes the broker and returns
    an object with the methods. provides is the name under which the host asks."""
    if sys.argv[1:] == ["describe"] and cookie[0] not in os.environ:
        protocols = [{"version": v, "transports": ["grpc"], "services": [provides]} for v in sorted(versions)]
        print(json.dumps({"describe": 1, "name": name, "version": version, "protocols": protocols}))
        return
    if os.environ.pop(cookie[0], None) != cookie[1]:
        sys.exit(f"This program is a plugin: it is started by its application, which sets {cookie[0]}.")
    host = {key: os.environ.pop(key) for key in list(os.environ) if key.startswith("PLUGIN_")}
    log_to_host()
    leave = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the host's matter
    signal.signal(signal.SIGTERM, lambda *_: leave.set())

    ours, theirs = None, host.get("PLUGIN_CLIENT_CERT", "").encode()
    credentials = None
    if theirs:
        ours = make_certificate()
        credentials = grpc.ssl_channel_credentials(theirs, *ours)
    offered = {int(v) for v in host.get("PLUGIN_PROTOCOL_VERSIONS", "").split(",") if v.isdigit()}
    agreed = max(offered & set(versions) or versions)
    broker = Broker(credentials)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers([handler(s, make(broker)) for s, make in versions[agreed].items()])
    server.add_generic_rpc_handlers(list(protocol_handlers(broker, leave)))
    network, address = listen(server, host, ours, theirs)
    server.start()
    certificate = base64.b64encode(ssl.PEM_cert_to_DER_cert(ours[1].decode())).decode().rstrip("=") if ours else ""
    print(1, agreed, network, address, "grpc", certificate, sep="|", flush=True)
    sys.stdout = sys.stderr  # what is printed goes into the host's log
    leave.wait()
    broker.close()  # otherwise the server waits for its stream
    server.stop(1).wait()


def protocol_handlers(broker, leave):
    """The services of the plugin protocol. Their messages are short: serving is
    b"\\x08\\x01", and Empty is b""."""
    unary, stream = grpc.unary_unary_rpc_method_handler, grpc.stream_stream_rpc_method_handler
    yield grpc.method_handlers_generic_handler("grpc.health.v1.Health", {"Check": unary(lambda *_: b"\x08\x01")})
    yield grpc.method_handlers_generic_handler(
        "plugin.GRPCController", {"Shutdown": unary(lambda *_: leave.set() or b"")}
    )
    yield grpc.method_handlers_generic_handler(
        "plugin.GRPCBroker", {"StartStream": stream(broker.StartStream, message("plugin.ConnInfo").FromString)}
    )


def listen(server, host, ours, theirs):
    """Listens where the host wants it. Under mutual TLS only the host gets in."""
    bind = server.add_insecure_port
    if ours:
        credentials = grpc.ssl_server_credentials([ours], theirs, require_client_auth=True)
        bind = functools.partial(server.add_secure_port, server_credentials=credentials)
    directory = host.get("PLUGIN_UNIX_SOCKET_DIR")
    if directory and os.name != "nt":
        path = os.path.join(directory, f"python-{os.getpid()}.sock")
        bind(f"unix:{path}")
        return "unix", path
    first, last = (int(host.get(f"PLUGIN_{end}_PORT") or 0) for end in ("MIN", "MAX"))
    for port in range(first, last + 1):  # 0 to 0: the system picks one
        with contextlib.suppress(RuntimeError):  # the port is taken
            if bound := bind(f"127.0.0.1:{port}"):
                return "tcp", f"127.0.0.1:{bound}"
    sys.exit(f"no port from {first} to {last} is free")


def make_certificate():
    """Returns a key and a certificate for this run. They are in no file."""
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    command += " -config /dev/stdin -extensions leaf -days 365 -keyout /dev/stdout"
    config = (
        "[req]\nprompt=no\ndistinguished_name=name\n[name]\nCN=localhost\n[leaf]\nsubjectAltName=DNS:localhost\n"
        "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n"
    )
    made = subprocess.run(command.split(), input=config.encode(), capture_output=True, check=False)
    if made.returncode != 0:
        sys.exit(f"openssl made no certificate:\n{made.stderr.decode(errors='replace')}")
    begin = made.stdout.index(b"-----BEGIN CERTIFICATE-----")
    return made.stdout[:begin], made.stdout[begin:]


class LogFormatter(logging.Formatter):
    """Formats records as the host reads them; what is in extra is an attribute."""

    STANDARD = frozenset(vars(logging.makeLogRecord({})))

    def format(self, record):
        line = {key: value for key, value in vars(record).items() if key not in self.STANDARD}
        line["@level"] = {"WARNING": "warn", "CRITICAL": "error"}.get(record.levelname, record.levelname.lower())
        line["@message"] = record.getMessage()
        line["@module"] = record.name
        line["@timestamp"] = datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="microseconds")
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def log_to_host():
    """Sends all logging to the host, by way of stderr. The host chooses what to keep."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LogFormatter())
    logging.basicConfig(level=logging.DEBUG, handlers=[handler], force=True)
