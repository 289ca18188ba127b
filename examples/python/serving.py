"""The plugin protocol for plugins in Python: cookie, handshake line, health, broker,
printed output, log and end. Copy this file: it needs grpcio and protobuf, and for
mutual TLS the openssl program.

``docs/protocol.md`` of the repository has the rules, by section.
"""

from __future__ import annotations

import base64
import contextlib
import io
import itertools
import json
import logging
import os
import platform
import queue
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent import futures
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import quote

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

# Generated code imports by the paths of the .proto files.
sys.path.insert(0, str(Path(__file__).parent / "generated"))

CORE_VERSION = "1"  # of the plugin protocol, not of the application
SHUTDOWN_SECONDS = 1.0  # for calls in flight; hosts kill after two, by custom
HOST_SECONDS = 5.0  # until a plugin without its host leaves
OFFER_SECONDS = 5.0  # until an offer of the other side has to be there

UNESCAPED = "".join(chr(c) for c in range(32, 127) if chr(c) not in "%|")  # in a field of the line

NO_LIMIT = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]

log = logging.getLogger("plugin")


@dataclass(frozen=True)
class Handshake:
    """How a plugin knows its host."""

    cookie_key: str
    cookie_value: str


# Adds services to a server. The broker is for those that call the other side back.
Register = Callable[[grpc.Server, "Broker"], None]


def serve(handshake: Handshake, versions: dict[int, Register], about: dict[str, str] | None = None) -> None:
    """Serves what the highest version in common adds to the server, until the host
    asks the plugin to leave, is gone, or SIGTERM comes. Exits if no host of the
    application has started this program.

    about is for the host to know: "version", the plugin's semantic version, "build",
    "library", and "requires-host", a constraint on the host's version."""
    require_host(handshake)
    environment = take_environment()
    account = account_of(about or {}, handshake, environment)
    leave = threading.Event()
    # A terminal's Ctrl-C reaches the host and its plugins alike. The host decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: leave.set())

    # A host that wants mutual TLS (AutoMTLS) sends its certificate (section 3).
    host_certificate = environment.get("PLUGIN_CLIENT_CERT", "").encode()
    tls = TLS(make_identity(), host_certificate) if host_certificate else None
    broker = Broker(Sockets(environment), tls)
    output = Output()
    version = choose(versions, environment.get("PLUGIN_PROTOCOL_VERSIONS", ""))
    server = new_server(max_workers=64)
    versions[version](server, broker)
    server.add_generic_rpc_handlers(protocol_services(broker, output, leave))
    network, address = broker.sockets.listen(server, tls)
    server.start()
    with output.capture() as stdout:  # first: with the line a host may call, and ask to leave
        print(announcement(version, network, address, tls, account), file=stdout)
    leave.wait()
    output.close()
    broker.close()
    server.stop(SHUTDOWN_SECONDS).wait()


def require_host(handshake: Handshake) -> None:
    """Exits unless the cookie is the application's (section 1)."""
    if os.environ.get(handshake.cookie_key) != handshake.cookie_value:
        sys.exit(
            "This program is a plugin: it is started by the application that uses it,\n"
            "and is not meant to be run by hand.\n"
            f"(The environment variable {handshake.cookie_key}, by which the "
            "application makes itself known, is missing or has another value.)"
        )


def take_environment() -> dict[str, str]:
    """Returns the host's settings and removes them from the environment, so that
    no program that this one starts takes them for its own."""
    names = [name for name in os.environ if name.startswith("PLUGIN_")]
    return {name: os.environ.pop(name) for name in names}


def choose(versions: dict[int, Register], asked: str) -> int:
    """Returns the highest version in common, or the lowest (section 2)."""
    common = set(versions) & {int(item) for item in asked.split(",") if item.isdecimal()}
    return max(common) if common else min(versions)


def account_of(about: dict[str, str], handshake: Handshake, environment: dict[str, str]) -> list[str]:
    """Returns the fields of the line about the plugin that its host asks for (section
    10). Exits if the host cannot apply the plugin's requirement."""
    names, _, cookie = environment.get("PLUGIN_HANDSHAKE_FIELDS", "").partition(",for:")
    asked = names.split(",") if cookie in ("", handshake.cookie_key) else []
    if about.get("requires-host") and "requires-host" not in asked:
        sys.exit(f"The host does not say its version, and this plugin requires {about['requires-host']}.")
    about = {"language": f"python {platform.python_version()}", **about}
    return [f"{name}={quote(text, safe=UNESCAPED)}" for name, text in about.items() if name in asked]


def announcement(version: int, network: str, address: str, tls: TLS | None, account: list[str]) -> str:
    """Returns the one line that the host waits for (section 2), the last thing that
    goes to stdout. The sixth field is the plugin's certificate, if there is one."""
    fields = [CORE_VERSION, str(version), network, address, "grpc", tls.identity.field() if tls else ""]
    if account:
        fields += ["", *account]  # the seventh field is for multiplexing
    return "|".join(fields)


def protocol_services(
    broker: Broker, output: Output, leave: threading.Event
) -> tuple[grpc.GenericRpcHandler, ...]:
    """The services that every plugin has (section 5). Messages without content, and
    the answer SERVING, are here as they are on the wire."""

    def check(request: bytes, context: grpc.ServicerContext) -> bytes:
        if request not in (b"", b"\x0a\x06plugin"):
            context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return b"\x08\x01"

    def shutdown(_request: bytes, _context: grpc.ServicerContext) -> bytes:
        output.close()  # the host reads to its end
        leave.set()  # the answer is a call in flight, for which the server waits
        return b""

    unary, write = grpc.unary_unary_rpc_method_handler, ConnInfo.SerializeToString
    services = {
        "grpc.health.v1.Health": {"Check": unary(check)},
        "plugin.GRPCController": {"Shutdown": unary(shutdown)},
        "plugin.GRPCStdio": {"StreamStdio": grpc.unary_stream_rpc_method_handler(output.stream)},
        "plugin.GRPCBroker": {
            "StartStream": grpc.stream_stream_rpc_method_handler(
                lambda offers, context: broker.serve(offers, context, leave.set),
                ConnInfo.FromString, write)
        },
    }
    return tuple(grpc.method_handlers_generic_handler(*service) for service in services.items())


class Broker:
    """Connects the two sides by IDs, which travel in messages of the application:
    one side lends a service, and the other borrows it (section 5)."""

    KEPT = 1000  # offers of the other side

    def __init__(self, sockets: Sockets, tls: TLS | None, check=lambda offer: None):
        self.sockets, self._tls, self._check = sockets, tls, check
        self._numbers = itertools.count(1)
        self._changed = threading.Condition()
        self._offers: dict[int, ConnInfo] = {}
        self._outgoing: queue.SimpleQueue = queue.SimpleQueue()
        self._streams = 0

    @contextlib.contextmanager
    def borrow(self, number: int, stub: Callable, context: grpc.ServicerContext | None = None):
        """Yields a client of the service that the other side lends: ``stub`` is its
        generated class. With a context, a failure at the other side is also the
        answer of the plugin's own call."""
        with self.dial(number) as channel:
            try:
                yield stub(channel)
            except grpc.RpcError as error:
                if context is None:
                    raise
                context.abort(error.code(), error.details())

    @contextlib.contextmanager
    def borrow_reader(self, number: int) -> Iterator[io.BufferedReader]:
        """Yields a file with the bytes of a reader that a host built on Jackfield
        lends (section 10)."""
        with self.dial(number) as channel:
            method = "/jackfield.stream.v1.ByteStreamService/Read"
            pieces = channel.unary_stream(method, None, Piece.FromString)(b"")
            try:
                yield io.BufferedReader(Pieces(pieces))
            finally:
                pieces.cancel()

    @contextlib.contextmanager
    def lend(self, register: Callable[[grpc.Server], None]) -> Iterator[int]:
        """Serves what ``register`` adds to a server, at the ID that it yields, until
        the end of the with block."""
        server = new_server(max_workers=8)
        register(server)
        network, address = self.sockets.listen(server, self._tls)
        server.start()
        number = next(self._numbers)
        self._outgoing.put(ConnInfo(service_id=number, network=network, address=address))
        try:
            yield number
        finally:
            server.stop(None).wait()

    @contextlib.contextmanager
    def lend_reader(self, pieces: Iterable[bytes]) -> Iterator[int]:
        """Lends bytes, piece by piece, as a reader: once (section 10)."""
        pieces = iter(pieces)
        read = grpc.unary_stream_rpc_method_handler(
            lambda _request, _context: (Piece(data=piece).SerializeToString() for piece in pieces))
        name = "jackfield.stream.v1.ByteStreamService"
        handler = grpc.method_handlers_generic_handler(name, {"Read": read})
        with self.lend(lambda server: server.add_generic_rpc_handlers((handler,))) as number:
            yield number

    def dial(self, number: int) -> grpc.Channel:
        """Returns a channel to the ID. The offer may come later than the ID."""
        with self._changed:
            if not self._changed.wait_for(lambda: number in self._offers, OFFER_SECONDS):
                raise LookupError(f"the other side has not offered the broker ID {number}")
            offer = self._offers[number]
        self._check(offer)
        return new_channel(offer.network, offer.address, self._tls)

    def serve(self, offers, context: grpc.ServicerContext, lost: Callable[[], None]):
        """The plugin's side of the control stream. A host that has lost its connection
        opens the stream anew; lost is called if none does."""
        context.send_initial_metadata([("jackfield-broker-resumes", "true")])
        with self._changed:
            self._streams += 1
            stream = self._streams
            if stream > 1:
                self._offers, self._outgoing = {}, queue.SimpleQueue()
            outgoing = self._outgoing

        def ended() -> None:
            outgoing.put(None)
            leave = threading.Timer(HOST_SECONDS, lambda: self._streams == stream and lost())
            leave.daemon = True
            leave.start()

        context.add_callback(ended)
        self.read(offers, outgoing)
        return iter(outgoing.get, None)

    def open(self, channel: grpc.Channel) -> None:
        """The host's side of the control stream."""
        method = channel.stream_stream(
            "/plugin.GRPCBroker/StartStream", ConnInfo.SerializeToString, ConnInfo.FromString)
        self.read(method(iter(self._outgoing.get, None)), self._outgoing)

    def read(self, offers, outgoing: queue.SimpleQueue) -> None:
        """Keeps the other side's offers, in a thread, until their end."""

        def receive() -> None:
            with contextlib.suppress(grpc.RpcError):
                for offer in offers:
                    with self._changed:
                        self._offers[offer.service_id] = offer
                        if len(self._offers) > self.KEPT:
                            del self._offers[next(iter(self._offers))]
                        self._changed.notify_all()
            outgoing.put(None)

        threading.Thread(target=receive, daemon=True).start()

    def close(self) -> None:
        """Ends the control stream, for which a server waits."""
        self._outgoing.put(None)


class Pieces(io.RawIOBase):
    """The bytes of a stream of pieces."""

    def __init__(self, pieces):
        self._pieces, self._rest = pieces, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece.data
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)], self._rest = taken, self._rest[len(taken) :]
        return len(taken)


class Output:
    """What the plugin and its children print on stdout, for the host (section 6).
    Stderr is for the log."""

    def __init__(self):
        self._pieces: queue.Queue = queue.Queue(maxsize=256)
        self._reader = threading.Event()  # a host
        self._pump: threading.Thread | None = None

    def capture(self) -> io.TextIOWrapper:
        """Replaces descriptor 1, so that the output of children comes along, and
        returns what it was."""
        stdout = os.fdopen(os.dup(1), "w")
        reading, writing = os.pipe()
        os.dup2(writing, 1)
        os.close(writing)
        sys.stdout.reconfigure(line_buffering=True)
        self._pump = threading.Thread(target=self._read, args=(reading,), daemon=True)
        self._pump.start()
        return stdout

    def _read(self, reading: int) -> None:
        while piece := os.read(reading, 1 << 15):
            while True:
                try:
                    self._pieces.put(piece, timeout=1)
                    break
                except queue.Full:
                    if not self._reader.is_set():  # a full queue must not stop the plugin
                        os.write(2, piece)
                        break

    def stream(self, _request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        """StreamStdio: the host calls it once."""

        def ended() -> None:
            self._reader.clear()
            with contextlib.suppress(queue.Full):
                self._pieces.put_nowait(b"")  # wakes the loop below

        self._reader.set()
        context.add_callback(ended)
        for piece in iter(self._pieces.get, None):
            if not context.is_active():
                return
            yield StdioData(channel=1, data=piece).SerializeToString()

    def close(self) -> None:
        """Sends the rest. What is printed later goes into the log."""
        pump, self._pump = self._pump, None
        if pump is None:
            return
        sys.stdout.flush()
        os.dup2(2, 1)
        pump.join(SHUTDOWN_SECONDS / 2)  # longer if a child has the pipe too
        with contextlib.suppress(queue.Full):
            self._pieces.put(None, timeout=SHUTDOWN_SECONDS / 2)


class Sockets:
    """Where this side listens: as the host wants it."""

    def __init__(self, environment: dict[str, str]):
        # A socket in a directory of the host's own is out of other users' reach,
        # which a port is not.
        directory = environment.get("PLUGIN_UNIX_SOCKET_DIR", "")
        self._directory = directory if os.name != "nt" and "|" not in directory else ""
        self._first = int(environment.get("PLUGIN_MIN_PORT") or 0)
        self._last = int(environment.get("PLUGIN_MAX_PORT") or 0)
        self._names = itertools.count(1)

    def listen(self, server: grpc.Server, tls: TLS | None) -> tuple[str, str]:
        """Lets the server listen, and returns the network and the address."""

        def bind(address: str) -> int:
            if tls is not None:
                return server.add_secure_port(address, tls.server())
            return server.add_insecure_port(address)

        if self._directory:
            path = os.path.join(self._directory, f"python-{os.getpid()}-{next(self._names)}.sock")
            bind(f"unix:{path}")
            return "unix", path
        for port in range(self._first, self._last + 1):  # 0 to 0: the system picks one
            try:
                if bound := bind(f"127.0.0.1:{port}"):  # older releases answer 0
                    return "tcp", f"127.0.0.1:{bound}"
            except RuntimeError:  # newer ones raise: the port is taken
                continue
        raise OSError(f"no port from {self._first} to {self._last} is free")


def new_server(max_workers: int) -> grpc.Server:
    """Returns a server without a limit of messages."""
    # With so_reuseport two plugins could listen on one port, each unaware.
    options = [("grpc.so_reuseport", 0), *NO_LIMIT]
    return grpc.server(futures.ThreadPoolExecutor(max_workers), options=options)


def new_channel(network: str, address: str, tls: TLS | None) -> grpc.Channel:
    """Returns a channel without a limit of messages."""
    target = f"unix:{address}" if network == "unix" else address
    options = [("grpc.enable_http_proxy", 0), ("grpc.default_authority", "localhost"), *NO_LIMIT]
    if tls is None:
        return grpc.insecure_channel(target, options)
    options.append(("grpc.ssl_target_name_override", "localhost"))
    return grpc.secure_channel(target, tls.channel(), options)


@dataclass(frozen=True)
class Identity:
    """A certificate for this one run, and its key, both in PEM."""

    certificate: bytes
    key: bytes

    def field(self) -> str:
        """The certificate as the sixth field of the line has it: DER in base64,
        without padding."""
        der = ssl.PEM_cert_to_DER_cert(self.certificate.decode("ascii"))
        return base64.b64encode(der).decode("ascii").rstrip("=")


@dataclass(frozen=True)
class TLS:
    """Mutual TLS: this side's identity, and the one certificate that it trusts, in
    PEM."""

    identity: Identity
    peer: bytes

    def server(self) -> grpc.ServerCredentials:
        pair = (self.identity.key, self.identity.certificate)
        return grpc.ssl_server_credentials([pair], self.peer, require_client_auth=True)

    def channel(self) -> grpc.ChannelCredentials:
        return grpc.ssl_channel_credentials(self.peer, self.identity.key, self.identity.certificate)


def make_identity() -> Identity:
    """Makes an identity as every TLS library takes it: a key on P-256 and a
    certificate of its own for ``localhost``, that is no CA (section 3). Python has
    nothing in its library for this, and the openssl program is everywhere; with
    the cryptography package it can be done without a process."""
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    command += " -config /dev/stdin -extensions leaf -days 365 -keyout /dev/stdout"
    config = """
        [req]
        prompt = no
        distinguished_name = name
        [name]
        CN = localhost
        [leaf]
        subjectAltName = DNS:localhost
        basicConstraints = critical, CA:FALSE
        keyUsage = critical, digitalSignature
        extendedKeyUsage = serverAuth, clientAuth
    """
    made = subprocess.run(
        command.split(), input=config.encode(), capture_output=True, check=False
    )
    if made.returncode != 0:
        sys.exit(f"no certificate could be made:\n{made.stderr.decode(errors='replace')}")
    begin = made.stdout.index(b"-----BEGIN CERTIFICATE-----")
    return Identity(certificate=made.stdout[begin:], key=made.stdout[:begin])


def wire_message(name: str, **fields: int):
    """Makes the class of a message of the plugin protocol, from its fields' types in
    their order. Its pool is its own, so that generated code may have it too."""
    file = descriptor_pb2.FileDescriptorProto(name=name, package="plugin", syntax="proto3")
    message = file.message_type.add(name=name)
    for number, (field, kind) in enumerate(fields.items(), start=1):
        message.field.add(name=field, number=number, type=kind, label=1)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    descriptor = pool.FindMessageTypeByName(f"plugin.{name}")
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)  # before protobuf 4.22


STRING, BYTES, UINT32 = 9, 12, 13  # google.protobuf.FieldDescriptorProto.Type

ConnInfo = wire_message("ConnInfo", service_id=UINT32, network=STRING, address=STRING)
StdioData = wire_message("StdioData", channel=UINT32, data=BYTES)
Piece = wire_message("Piece", data=BYTES)


class LogFormatter(logging.Formatter):
    """Formats records as lines that hosts turn back into records (section 7). What
    is passed as ``extra`` becomes attributes."""

    LEVELS = {"WARNING": "warn", "CRITICAL": "error"}
    STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, timezone.utc)
        line = {
            "@level": self.LEVELS.get(record.levelname, record.levelname.lower()),
            "@message": record.getMessage(),
            "@module": record.name,
            "@timestamp": when.isoformat(timespec="microseconds"),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        for key, value in vars(record).items():
            if key not in self.STANDARD:
                line[key] = value
        return json.dumps(line, default=str)


def log_to_host(level: int = logging.DEBUG) -> None:
    """Sends all logging to the host, by way of stderr. The host chooses what to
    keep."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LogFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
