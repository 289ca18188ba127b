"""What every plugin does, whatever it serves: know its host, listen, announce
itself, say that it is well, leave when asked, and log.

``docs/protocol.md`` of the repository has the rules, by section. A plugin over
gRPC need not do more than this. A host's broker and its channel for printed
output (``plugin.GRPCBroker`` and ``plugin.GRPCStdio``) are optional: a host takes
it well if they are not there.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent import futures
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

# Generated code imports by the paths of the .proto files.
sys.path.insert(0, str(Path(__file__).parent / "generated"))

import grpc  # noqa: E402
from health.v1 import health_pb2, health_pb2_grpc  # noqa: E402
from plugin import controller_pb2, controller_pb2_grpc  # noqa: E402

CORE_VERSION = 1  # of the plugin protocol, not of the application
SHUTDOWN_SECONDS = 1.0  # for calls in flight; hosts kill after two, by custom

log = logging.getLogger("plugin")


@dataclass(frozen=True)
class Handshake:
    """How a plugin knows its host, and which version of the application's
    protocol it speaks. One that speaks several chooses the highest that is also
    in ``PLUGIN_PROTOCOL_VERSIONS`` (section 2)."""

    cookie_key: str
    cookie_value: str
    app_version: int


def serve(handshake: Handshake, register: Callable[[grpc.Server], None]) -> None:
    """Serves what ``register`` adds to the server, until the host asks the plugin
    to leave or SIGTERM comes. Exits if no host of the application has started
    this program."""
    require_host(handshake)
    environment = take_environment()
    leave = threading.Event()
    # A terminal's Ctrl-C reaches the host and its plugins alike. The host decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: leave.set())

    server = grpc.server(
        futures.ThreadPoolExecutor(max_workers=16),
        options=[
            # Otherwise two plugins could listen on one port, each unaware.
            ("grpc.so_reuseport", 0),
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
        ],
    )
    health_pb2_grpc.add_HealthServicer_to_server(Health(), server)
    controller_pb2_grpc.add_GRPCControllerServicer_to_server(Controller(leave), server)
    register(server)
    # A host that wants mutual TLS (AutoMTLS) sends its certificate (section 3).
    host_certificate = environment.get("PLUGIN_CLIENT_CERT", "")
    identity = make_identity() if host_certificate else None
    credentials = server_credentials(identity, host_certificate)
    network, address = listen(server, environment, credentials)
    server.start()
    announce(handshake, network, address, identity)
    leave.wait()
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


def listen(
    server: grpc.Server,
    environment: dict[str, str],
    credentials: grpc.ServerCredentials | None,
) -> tuple[str, str]:
    """Listens where the host wants it, and returns the network and the address to
    announce."""

    def bind(address: str) -> int:
        if credentials is not None:
            return server.add_secure_port(address, credentials)
        return server.add_insecure_port(address)

    # A socket in a directory of the host's own is out of other users' reach, which
    # a port is not.
    directory = environment.get("PLUGIN_UNIX_SOCKET_DIR", "")
    if directory and os.name != "nt" and "|" not in directory:
        path = os.path.join(directory, f"python-{os.getpid()}.sock")
        bind(f"unix:{path}")
        return "unix", path

    first = int(environment.get("PLUGIN_MIN_PORT") or 0)
    last = int(environment.get("PLUGIN_MAX_PORT") or 0)
    for port in range(first, last + 1):  # 0 to 0: the system picks one
        try:
            if bound := bind(f"127.0.0.1:{port}"):  # older releases answer 0
                return "tcp", f"127.0.0.1:{bound}"
        except RuntimeError:  # newer ones raise: the port is taken
            continue
    sys.exit(f"no port from {first} to {last} is free")


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


def server_credentials(
    identity: Identity | None, host_certificate: str
) -> grpc.ServerCredentials | None:
    """Returns what the server proves itself with: nothing, unless the host wants
    mutual TLS. Then the host's certificate is required of whoever connects, and no
    other is taken."""
    if identity is None:
        return None
    return grpc.ssl_server_credentials(
        [(identity.key, identity.certificate)],
        root_certificates=host_certificate.encode("ascii"),
        require_client_auth=True,
    )


def announce(
    handshake: Handshake, network: str, address: str, identity: Identity | None
) -> None:
    """Writes the one line that the host waits for (section 2), the last thing that
    goes to stdout. The sixth field is the plugin's certificate, if there is one."""
    certificate = identity.field() if identity else ""
    version = handshake.app_version
    fields = [CORE_VERSION, version, network, address, "grpc", certificate]
    print(*fields, sep="|", flush=True)
    sys.stdout = sys.stderr  # so print() ends up in the host's log


class Health(health_pb2_grpc.HealthServicer):
    """Answers the host's ping (section 5)."""

    def Check(self, request, context):
        if request.service not in ("", "plugin"):
            context.abort(grpc.StatusCode.NOT_FOUND, "unknown service")
        return health_pb2.HealthCheckResponse(
            status=health_pb2.HealthCheckResponse.SERVING
        )


class Controller(controller_pb2_grpc.GRPCControllerServicer):
    """Takes the host's request to leave (section 8)."""

    def __init__(self, leave: threading.Event):
        self._leave = leave

    def Shutdown(self, request, context):
        # The answer is a call in flight, for which the server waits.
        self._leave.set()
        return controller_pb2.Empty()


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
