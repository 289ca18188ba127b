"""The suite's probe in Python, with the helper files of examples/python:

    probe.py DESCRIPTORS plugin    serves it
    probe.py DESCRIPTORS host      runs the steps of the matrix on a plugin

DESCRIPTORS is a file with the compiled probe.proto. The host reads the cell of the
matrix from its environment, and prints its outcome."""

import contextlib
import hashlib
import io
import json
import logging
import os
import sys
import threading
import types
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "python"))
import hosting
import serving

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

HANDSHAKE = serving.Handshake("JACKFIELD_CONFORMANCE", "5d1ae3f80c94")  # of conformance/goplugin/shared
PATIENCE = 60.0
PROBE, HOST = "conformance.v1.ProbeService", "conformance.v1.HostService"

log = logging.getLogger("probe")

FILES = descriptor_pb2.FileDescriptorSet.FromString(Path(sys.argv[1]).read_bytes()).file
POOL = descriptor_pool.DescriptorPool()
for file in FILES:
    POOL.AddSerializedFile(file.SerializeToString())
SERVICES = {f"{file.package}.{service.name}": service for file in FILES for service in file.service}


def message(name):
    descriptor = POOL.FindMessageTypeByName(name)
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(POOL).GetPrototype(descriptor)


MESSAGES = {name: message(f"conformance.v1.{name}") for file in FILES for name in
            (m.name for m in file.message_type) if file.package == "conformance.v1"}
make = types.SimpleNamespace(**MESSAGES)


def methods(service):
    for method in SERVICES[service].method:
        kind = "stream_" if method.client_streaming else "unary_"
        kind += "stream" if method.server_streaming else "unary"
        yield method.name, kind, message(method.input_type[1:]), message(method.output_type[1:])


def add(server, service, servicer):
    """Serves the methods that the servicer has."""
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {
        name: getattr(grpc, f"{kind}_rpc_method_handler")(
            getattr(servicer, name), request.FromString, response.SerializeToString)
        for name, kind, request, response in methods(service) if hasattr(servicer, name)
    }),))


def stub(service):
    """Returns a class of clients."""
    return lambda channel: types.SimpleNamespace(**{
        name: getattr(channel, kind)(f"/{service}/{name}", request.SerializeToString, response.FromString)
        for name, kind, request, response in methods(service)
    })


def pattern(size):
    return (bytes(range(251)) * (size // 251 + 1))[:size]


class Answerer:
    """A HostService at one broker ID."""

    def __init__(self, side):
        self.side, self.number = side, 0

    def Answer(self, request, context):
        return make.AnswerResponse(
            answer=f"{self.side} answers {request.question}", broker_id=self.number, payload=request.payload)


@contextlib.contextmanager
def lend(broker, side):
    answerer = Answerer(side)
    with broker.lend(lambda server: add(server, HOST, answerer)) as number:
        answerer.number = number
        yield number


class Probe:
    def __init__(self, broker):
        self._broker, self._lock, self._offers = broker, threading.Lock(), {}

    def Echo(self, request, context):
        log.info("echoed", extra={"bytes": len(request.payload)})
        return make.EchoResponse(payload=request.payload)

    def Big(self, request, context):
        return make.BigResponse(
            payload=pattern(request.answer_size), received_size=len(request.payload),
            received_sha256=hashlib.sha256(request.payload).digest())

    def Fail(self, request, context):
        if request.code:
            abort(context, request.code, request.message)
        return make.FailResponse()

    def Print(self, request, context):
        for _ in range(max(request.times, 1)):
            sys.stdout.write(request.stdout)
            sys.stdout.flush()
            sys.stderr.write(request.stderr)
            sys.stderr.flush()
        return make.PrintResponse()

    def Count(self, request, context):
        for number in range(1, request.to + 1):
            yield make.CountResponse(number=number)
        if request.code:
            abort(context, request.code, "counted to the end")

    def Sum(self, requests, context):
        numbers = [request.number for request in requests]
        return make.SumResponse(total=sum(numbers), numbers=len(numbers))

    def Chat(self, requests, context):
        for request in requests:
            yield make.ChatResponse(text=f"you said {request.text}")

    def Callback(self, request, context):
        with self._broker.borrow(request.broker_id, stub(HOST), context) as host:
            for _ in range(max(request.times, 1)):
                answer = host.Answer(make.AnswerRequest(question=request.question, payload=pattern(request.size)))
        return make.CallbackResponse(answer=answer.answer, answered_by=answer.broker_id)

    def Offer(self, request, context):
        numbers = []
        for _ in range(request.count):
            lent = contextlib.ExitStack()
            numbers.append(lent.enter_context(lend(self._broker, "plugin")))
            with self._lock:
                self._offers[numbers[-1]] = lent
        return make.OfferResponse(broker_ids=numbers)

    def Withdraw(self, request, context):
        for number in request.broker_ids:
            with self._lock:
                lent = self._offers.pop(number)
            lent.close()
        return make.WithdrawResponse()

    def Status(self, request, context):
        return make.StatusResponse(pid=os.getpid(), version=1, offers=len(self._offers))


def abort(context, code, text):
    context.abort(next(status for status in grpc.StatusCode if status.value[0] == code), text)


def play_plugin():
    serving.log_to_host()
    serving.serve(HANDSHAKE, {1: lambda server, broker: add(server, PROBE, Probe(broker))})


class Output(io.RawIOBase):
    """Collects bytes, and waits for them."""

    def __init__(self):
        self._changed, self._bytes = threading.Condition(), b""

    def writable(self):
        return True

    def write(self, data):
        with self._changed:
            self._bytes += data
            self._changed.notify_all()
        return len(data)

    def wait(self, wanted):
        with self._changed:
            if not self._changed.wait_for(lambda: self._bytes == wanted, PATIENCE):
                raise AssertionError(f"{len(self._bytes)} bytes of {len(wanted)}: {self._bytes[:80]!r}")

    def wait_for_part(self, wanted):
        with self._changed:
            if not self._changed.wait_for(lambda: wanted in self._bytes, PATIENCE):
                raise AssertionError(f"no {wanted!r} in {self._bytes[-300:]!r}")


class Steps:
    """What a host does with its plugin, by the letters of the matrix."""

    def __init__(self, cell, log_output):
        self._in_go = cell["Plugin"] in ("jackfield", "go-plugin")
        self._log = log_output
        self.stdout, self.stderr = Output(), Output()
        self.letters = "PCBOS" if self._in_go else "PCBOSL"

    def start(self, plugin):
        self._plugin, self._probe = plugin, stub(PROBE)(plugin.channel)

    def P(self):
        self._plugin.ping()

    def C(self):
        for size in (0, 1, 1 << 20, 3 << 20):
            assert self._probe.Echo(make.EchoRequest(payload=pattern(size))).payload == pattern(size)
        counted = [answer.number for answer in self._probe.Count(make.CountRequest(to=1000))]
        assert counted == list(range(1, 1001)), counted
        summed = self._probe.Sum(make.SumRequest(number=number) for number in range(1000))
        assert (summed.total, summed.numbers) == (499500, 1000), summed
        texts = [f"message {i}" for i in range(1000)]
        said = [answer.text for answer in self._probe.Chat(make.ChatRequest(text=text) for text in texts)]
        assert said == [f"you said {text}" for text in texts]
        try:
            self._probe.Fail(make.FailRequest(code=5, message="not here"))
        except grpc.RpcError as error:
            assert (error.code(), error.details()) == (grpc.StatusCode.NOT_FOUND, "not here"), error
        else:
            raise AssertionError("a failing call succeeded")

    def B(self):
        for size in (0, 1 << 10, 8 << 20):  # the last is beyond gRPC's own limit
            question = f"question of {size}"
            with lend(self._plugin.broker, "host") as number:
                answer = self._probe.Callback(
                    make.CallbackRequest(broker_id=number, question=question, times=2, size=size))
            assert (answer.answer, answer.answered_by) == (f"host answers {question}", number), answer

    def O(self):
        numbers = self._probe.Offer(make.OfferRequest(count=3)).broker_ids
        with contextlib.ExitStack() as open_ones:
            clients = [open_ones.enter_context(self._plugin.broker.borrow(number, stub(HOST))) for number in numbers]
            for number, client in zip(numbers, clients):
                answer = client.Answer(make.AnswerRequest(question="who", payload=pattern(1 << 10)))
                assert (answer.answer, answer.broker_id) == ("plugin answers who", number), answer
        self._probe.Withdraw(make.WithdrawRequest(broker_ids=numbers))

    def S(self):
        long = "y" * (200 << 10) + "\n"
        self._probe.Print(make.PrintRequest(stdout="first out\n", stderr="first err\n"))
        self._probe.Print(make.PrintRequest(stdout=long, stderr="second err\n", times=2))
        self.stdout.wait(("first out\n" + long * 2).encode())
        if self._in_go:
            self.stderr.wait(b"first err\nsecond err\nsecond err\n")
        else:
            self._log.wait_for_part(b"second err")

    def L(self):
        self._log.wait_for_part(b"echoed")


def play_host():
    cell = json.loads(os.environ["JACKFIELD_MATRIX_CELL"])
    os.environ["JACKFIELD_MATRIX_ROLE"] = "plugin"
    log_output = Output()
    logging.basicConfig(level=logging.DEBUG, stream=io.TextIOWrapper(log_output, write_through=True), force=True)
    outcome, steps, plugin = {"Steps": {}}, Steps(cell, log_output), None
    try:
        with hosting.launch(cell["Command"], HANDSHAKE, mutual_tls=cell["Secured"],
                            stdout=steps.stdout, stderr=steps.stderr) as plugin:
            steps.start(plugin)
            for letter in steps.letters:
                outcome["Steps"][letter] = failure(getattr(steps, letter))
        status = plugin.process.returncode
        outcome["Steps"]["E"] = "" if status == 0 else f"ended with {status}"
    except hosting.PluginError as error:
        outcome["LaunchError"] = str(error)
    outcome["Log"] = log_output._bytes.decode(errors="replace")
    print(json.dumps(outcome))


def failure(step):
    try:
        step()
    except Exception as error:
        return repr(error)[:2000]
    return ""


if __name__ == "__main__":
    {"plugin": play_plugin, "host": play_host}[sys.argv[2]]()
