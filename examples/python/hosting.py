"""The plugin protocol for hosts in Python: launch, handshake, mutual TLS, broker, log,
printed output and an orderly end. Copy this file and serving.py, which has the parts
of both sides.

``docs/protocol.md`` of the repository has the rules, by section.
"""

from __future__ import annotations

import base64
import collections
import contextlib
import ipaddress
import json
import logging
import os
import queue
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from urllib.parse import unquote

import grpc

import serving
from serving import TLS, Broker, ConnInfo, Handshake, Sockets, StdioData

LAUNCH_SECONDS = 60.0
LEAVE_SECONDS = 2.0  # each, to answer the request to leave, and to end
LINE_BYTES = 1 << 16  # of the handshake line, and of a log line
NOISE_LINES = 100  # before the handshake line
LIFELINE = "lifeline"  # the name of a pipe in the directory for sockets

# Inherited, these are settings of another plugin (sections 1 and 10).
STALE = ("PROTOCOL_VERSIONS", "MIN_PORT", "MAX_PORT", "CLIENT_CERT", "MULTIPLEX_GRPC",
         "UNIX_SOCKET_DIR", "UNIX_SOCKET_GROUP", "HANDSHAKE_FIELDS", "LIFELINE", "OUTLIVE")

ACCOUNT = ("version", "build", "library", "language")  # section 10

LEVELS = {"trace": 5, "debug": 10, "info": 20, "warn": 30, "error": 40}


class PluginError(Exception):
    """The plugin could not be launched."""


@contextlib.contextmanager
def launch(
    command: Sequence[str],
    handshake: Handshake,
    versions: Sequence[int] = (1,),
    mutual_tls: bool = True,
    stdout=None,
    stderr=None,
) -> Iterator[Plugin]:
    """Launches a plugin, yields it when it can be called, and ends it with the with
    block, however the block ends. What the plugin prints goes to ``stdout`` and
    ``stderr``, binary files: this program's own by default."""
    directory = tempfile.mkdtemp(prefix="plugin-")  # of this user alone
    plugin = Plugin(command, directory)
    lifeline = hold_lifeline(directory)
    try:
        printed = {1: stdout or sys.stdout.buffer, 2: stderr or sys.stderr.buffer}
        plugin.start(handshake, versions, mutual_tls, printed)
        yield plugin
    finally:
        plugin.close()
        if lifeline is not None:
            os.close(lifeline)
        shutil.rmtree(directory, ignore_errors=True)


def hold_lifeline(directory: str) -> int | None:
    """Makes a pipe that ends with this process, however it ends, and returns its
    descriptor. A plugin built on Jackfield leaves then (section 10)."""
    if not hasattr(os, "mkfifo"):
        return None
    path = os.path.join(directory, LIFELINE)
    os.mkfifo(path, 0o600)
    return os.open(path, os.O_RDWR)  # for writing alone, it would wait for a reader


class Plugin:
    """A running plugin. ``channel`` is for the generated clients, ``broker`` lends
    them services of the host, ``version`` is the application's. ``account`` is the
    plugin's own of itself: its version, build, library and language, where known."""

    def __init__(self, command: Sequence[str], directory: str):
        self.name = os.path.basename(command[-1])
        self.log = logging.getLogger(f"plugin.{self.name}")
        self.process: subprocess.Popen | None = None
        self.channel: grpc.Channel | None = None
        self.broker: Broker | None = None
        self.version = 0
        self.account: dict[str, str] = {}
        self._command, self._directory = command, directory
        self._last_lines: collections.deque[str] = collections.deque(maxlen=10)  # of stderr
        self._threads: list[threading.Thread] = []
        self._output: threading.Thread | None = None

    def start(self, handshake, versions, mutual_tls, printed) -> None:
        until = time.monotonic() + LAUNCH_SECONDS
        identity = serving.make_identity() if mutual_tls else None
        environment = self._environment(handshake, versions, identity)
        try:
            self.process = subprocess.Popen(
                self._command, env=environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        except OSError as error:
            raise PluginError(f"plugin {self.name} cannot be started: {error}") from None
        self._thread(self._read_log)
        lines: queue.Queue = queue.Queue()
        self._thread(self._read_stdout, lines)
        network, address, certificate = self._handshake(lines, versions, until)
        tls = None
        if identity is not None:
            if not certificate:
                raise PluginError(f"plugin {self.name} does not support mutual TLS")
            tls = TLS(identity, certificate)
        check_address(ConnInfo(network=network, address=address))
        self.channel = serving.new_channel(network, address, tls)
        try:
            grpc.channel_ready_future(self.channel).result(until - time.monotonic())
        except grpc.FutureTimeoutError:
            raise PluginError(self._failure(f"does not answer at {network} {address}")) from None
        self.broker = Broker(Sockets({"PLUGIN_UNIX_SOCKET_DIR": self._directory}), tls, check_address)
        self.broker.open(self.channel)
        method = self.channel.unary_stream("/plugin.GRPCStdio/StreamStdio", None, StdioData.FromString)
        self._output = self._thread(self._read_output, method(b""), printed)

    def ping(self) -> None:
        """Asks the plugin's health service."""
        check = self.channel.unary_unary("/grpc.health.v1.Health/Check")
        if check(b"\x0a\x06plugin", timeout=LEAVE_SECONDS) != b"\x08\x01":
            raise PluginError(f"plugin {self.name} is not serving")

    def close(self) -> None:
        """Asks the plugin to leave, and kills it if it stays (section 8)."""
        if self.process is None:
            return
        if self.channel is not None:
            with contextlib.suppress(grpc.RpcError):
                shutdown = self.channel.unary_unary("/plugin.GRPCController/Shutdown")
                shutdown(b"", timeout=LEAVE_SECONDS)
            if self._output is not None:
                self._output.join(LEAVE_SECONDS)
                self.broker.close()
            self.channel.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(LEAVE_SECONDS)
        if self.process.poll() is None:
            self.log.warning("killed: it did not leave")
            self.process.kill()
        if status := self.process.wait():
            self.log.warning("ended with status %d", status)
        for thread in self._threads:  # longer if a child of the plugin has its stderr
            thread.join(LEAVE_SECONDS)

    def _thread(self, target, *arguments) -> threading.Thread:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()
        return thread

    def _environment(self, handshake, versions, identity) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items()
                       if name not in {f"PLUGIN_{stale}" for stale in STALE}}
        environment[handshake.cookie_key] = handshake.cookie_value
        environment["PLUGIN_PROTOCOL_VERSIONS"] = ",".join(map(str, versions))
        environment["PLUGIN_MIN_PORT"], environment["PLUGIN_MAX_PORT"] = "10000", "25000"
        environment["PLUGIN_UNIX_SOCKET_DIR"] = self._directory
        if hasattr(os, "mkfifo"):
            environment["PLUGIN_LIFELINE"] = LIFELINE
        environment["PLUGIN_HANDSHAKE_FIELDS"] = ",".join([*ACCOUNT, f"for:{handshake.cookie_key}"])
        if identity is not None:
            environment["PLUGIN_CLIENT_CERT"] = identity.certificate.decode()
        return environment

    def _handshake(self, lines: queue.Queue, versions, until) -> tuple[str, str, bytes]:
        """Waits for the handshake line (section 2), and returns the network, the
        address and the certificate in PEM."""
        for _ in range(NOISE_LINES):
            try:
                line = lines.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                break
            if line is None:
                raise PluginError(self._failure("ended without a handshake line"))
            fields = line.strip().split("|")
            if not fields[0].isdecimal() or len(fields) < 2:
                self.log.debug("printed before the handshake: %s", line.strip())
                continue
            return self._parse(line.strip(), fields, versions)
        raise PluginError(self._failure("wrote no handshake line"))

    def _parse(self, line: str, fields: list[str], versions) -> tuple[str, str, bytes]:
        def refuse(reason: str) -> PluginError:
            return PluginError(f"plugin {self.name}: {reason}: handshake line {line[:200]!r}")

        if fields[0] != "1":
            raise refuse("it speaks another plugin protocol than version 1")
        if len(fields) < 4 or not fields[1].isdecimal():
            raise refuse("fields are missing or wrong")
        self.version = int(fields[1])
        if self.version not in versions:
            raise refuse(f"it speaks version {self.version}, and this host {sorted(versions)}")
        protocol = fields[4] if len(fields) > 4 else "netrpc"
        if protocol != "grpc":
            raise refuse(f"it speaks {protocol}, and this host grpc")
        certificate = b""
        if len(fields) > 5 and len(fields[5]) > 50:  # shorter ones of old plugins are none
            try:
                der = base64.b64decode(fields[5] + "=" * (-len(fields[5]) % 4), validate=True)
            except ValueError:
                raise refuse("its certificate cannot be decoded") from None
            certificate = ssl.DER_cert_to_PEM_cert(der).encode()
        said = dict(reversed([field.split("=", 1) for field in fields[7:] if "=" in field]))  # the first counts
        self.account = {name: unquote(said[name]) for name in ACCOUNT if name in said}
        return fields[2], fields[3], certificate

    def _failure(self, event: str) -> str:
        """Describes a failed launch, with the plugin's last words."""
        if self.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                event += f" (exit status {self.process.wait(0.5)})"
                self._threads[0].join(0.5)
        return "\n  ".join([f"plugin {self.name} {event}", *self._last_lines])

    def _read_stdout(self, lines: queue.Queue) -> None:
        with self.process.stdout as stdout:
            while line := stdout.readline(LINE_BYTES):
                text = line.decode(errors="replace")
                if self.channel is None:
                    lines.put(text)
                else:
                    self.log.info("%s", text.rstrip())
        lines.put(None)

    def _read_log(self) -> None:
        with self.process.stderr as stderr:
            while line := stderr.readline(LINE_BYTES):
                self._log_line(line.decode(errors="replace").rstrip())

    def _log_line(self, line: str) -> None:
        """Turns a line of the plugin's stderr into a record (section 7)."""
        try:
            record = json.loads(line)
            level = LEVELS[record.pop("@level").strip().lower()]
            text = record.pop("@message", "")
            record.pop("@timestamp", None)
            line = " ".join([str(text), *(f"{key}={value}" for key, value in record.items())])
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
            level = logging.INFO  # not a record
        self._last_lines.append(line)
        self.log.log(level, "%s", line)

    def _read_output(self, pieces, printed) -> None:
        """Copies what the plugin prints (section 6). A plugin need not send it."""
        with contextlib.suppress(grpc.RpcError):
            for piece in pieces:
                if to := printed.get(piece.channel):
                    to.write(piece.data)
                    to.flush()


def check_address(offer: ConnInfo) -> None:
    """Refuses to be sent to another machine."""
    if offer.network == "unix":
        return
    host = offer.address.rpartition(":")[0].strip("[]")
    with contextlib.suppress(ValueError):
        if offer.network == "tcp" and ipaddress.ip_address(host).is_loopback:
            return
    raise PluginError(f"the plugin is at {offer.network} {offer.address}, which is not this machine")
