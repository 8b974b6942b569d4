"""gRPC through the edge: calls of every kind between grpcio's client and server."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures

import grpc

from ..edge import Edge, Route, running
from ..score import Case, Score

HOST = "grpc-web.ep-r.io"
CANCELLED = threading.Event()
LARGE = 3 << 20


def version() -> str:
    return f"grpcio {grpc.__version__}"


def unary(request: bytes, context: grpc.ServicerContext) -> bytes:
    """Does what the first word of the request says, else echoes."""
    word, _, rest = request.partition(b" ")
    if word == b"status":
        code = next(code for code in grpc.StatusCode if code.value[0] == int(rest))
        context.set_trailing_metadata((("x-why", "told to"),))
        context.abort(code, "né: 100%\n" + code.name)
    elif word == b"sleep":
        context.add_callback(CANCELLED.set)
        time.sleep(float(rest))
    elif word == b"metadata":
        told = dict(context.invocation_metadata())
        context.send_initial_metadata((("x-first", "1"), ("x-first-bin", b"\0\xff")))
        context.set_trailing_metadata((("x-last", "a"), ("x-last", "b"), ("x-last-bin", bytes(range(256)))))
        return told["x-mine"].encode() + told["x-mine-bin"]
    elif word == b"left":
        return str(context.time_remaining()).encode()
    elif word == b"large":
        return bytes(int(rest))
    return request


def server_stream(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
    count, _, after = request.partition(b" ")
    if after == b"wait":
        context.add_callback(CANCELLED.set)
    for number in range(int(count)):
        yield b"%d" % number
    if after == b"fail":
        context.abort(grpc.StatusCode.DATA_LOSS, "in mid-stream")
    if after == b"wait":
        CANCELLED.wait(20)


def client_stream(requests: Iterator[bytes], _: grpc.ServicerContext) -> bytes:
    return str(sum(len(request) for request in requests)).encode()


def bidi(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
    for request in requests:
        if request == b"fail":
            context.abort(grpc.StatusCode.ABORTED, "as told")
        yield request


def run(score: Score) -> None:
    handlers = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary),
        "ServerStream": grpc.unary_stream_rpc_method_handler(server_stream),
        "ClientStream": grpc.stream_unary_rpc_method_handler(client_stream),
        "Bidi": grpc.stream_stream_rpc_method_handler(bidi),
    }
    server = grpc.server(futures.ThreadPoolExecutor(256), options=[("grpc.max_receive_message_length", -1)])
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("kit.Kit", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with running([Route("grpc-web", "h2c", ("127.0.0.1", port))]) as edge, _channel(edge) as channel:
        for name, call in CALLS.items():
            CANCELLED.clear()
            score.add([_case(name, call, channel)])
        score.add(_statuses(channel))
    server.stop(0)


def _channel(edge: Edge) -> grpc.Channel:
    credentials = grpc.ssl_channel_credentials(edge.ca.read_bytes())
    options = [("grpc.ssl_target_name_override", HOST), ("grpc.default_authority", HOST)]
    options += [("grpc.enable_http_proxy", 0), ("grpc.max_receive_message_length", -1)]
    return grpc.secure_channel("{}:{}".format(*edge.https), credentials, options)


def _case(name: str, call: Callable[[grpc.Channel], bool], channel: grpc.Channel) -> Case:
    try:
        return Case(name, call(channel))
    except grpc.RpcError as error:
        return Case(name, False, f"{error.code()} {error.details()}")


def _unary(channel: grpc.Channel, request: bytes, timeout: float = 20, **more) -> bytes:
    return channel.unary_unary("/kit.Kit/Unary")(request, timeout=timeout, **more)


def _stream(channel: grpc.Channel, request: bytes, timeout: float = 20) -> grpc.Call:
    return channel.unary_stream("/kit.Kit/ServerStream")(request, timeout=timeout)


def _code(call: Callable[[], object]) -> grpc.StatusCode | None:
    with contextlib.suppress(StopIteration):
        try:
            call()
        except grpc.RpcError as error:
            return error.code()
    return None


def _concurrent(channel: grpc.Channel) -> bool:
    calls = [channel.unary_unary("/kit.Kit/Unary").future(b"%d" % number, timeout=20) for number in range(300)]
    return [call.result() for call in calls] == [b"%d" % number for number in range(300)]


def _interleaved(channel: grpc.Channel) -> bool:
    """Each message is sent only once the one before has come back."""
    gate = threading.Semaphore(1)

    def requests() -> Iterator[bytes]:
        for number in range(200):
            gate.acquire(timeout=10)
            yield b"%d" % number

    got = []
    for answer in channel.stream_stream("/kit.Kit/Bidi")(requests(), timeout=20):
        got.append(answer)
        gate.release()
    return got == [b"%d" % number for number in range(200)]


def _bidi_fails(channel: grpc.Channel) -> bool:
    call = channel.stream_stream("/kit.Kit/Bidi")(iter([b"a", b"fail", b"b"]), timeout=20)
    return next(call) == b"a" and _code(lambda: next(call)) == grpc.StatusCode.ABORTED and call.details() == "as told"


def _metadata(channel: grpc.Channel) -> bool:
    sent = (("x-mine", "mine"), ("x-mine-bin", b"\xff\0"))
    answer, call = channel.unary_unary("/kit.Kit/Unary").with_call(b"metadata", timeout=20, metadata=sent)
    first, last = call.initial_metadata(), call.trailing_metadata()
    right = answer == b"mine\xff\0" and ("x-first", "1") in first and ("x-first-bin", b"\0\xff") in first
    return (
        right
        and [value for key, value in last if key == "x-last"] == ["a", "b"]
        and ("x-last-bin", bytes(range(256))) in last
    )


def _deadline(channel: grpc.Channel) -> bool:
    """The client is told in time, and the server that nobody waits any more."""
    code = _code(lambda: _unary(channel, b"sleep 3", timeout=0.5))
    return code == grpc.StatusCode.DEADLINE_EXCEEDED and CANCELLED.wait(2)


def _cancel(channel: grpc.Channel) -> bool:
    call = _stream(channel, b"3 wait")
    next(call)
    call.cancel()
    return CANCELLED.wait(5)


def _left_open(channel: grpc.Channel) -> bool:
    """Other calls go on while many streams are open."""
    calls = [_stream(channel, b"1 wait") for _ in range(50)]
    opened = [next(call) for call in calls] == [b"0"] * 50
    answered = _unary(channel, b"hello") == b"hello"
    for call in calls:
        call.cancel()
    return opened and answered


def _in_mid_stream(channel: grpc.Channel) -> bool:
    call = _stream(channel, b"5 fail")
    got = [next(call) for _ in range(5)]
    return (
        len(got) == 5 and _code(lambda: next(call)) == grpc.StatusCode.DATA_LOSS and call.details() == "in mid-stream"
    )


def _unknown_method(channel: grpc.Channel) -> bool:
    return _code(lambda: channel.unary_unary("/kit.Kit/Nothing")(b"", timeout=20)) == grpc.StatusCode.UNIMPLEMENTED


CALLS: dict[str, Callable[[grpc.Channel], bool]] = {
    "unary": lambda channel: _unary(channel, b"hello") == b"hello",
    "an empty message": lambda channel: _unary(channel, b"") == b"",
    "a large request": lambda channel: _unary(channel, b"x" * LARGE) == b"x" * LARGE,
    "a large answer": lambda channel: len(_unary(channel, b"large %d" % (4 * LARGE))) == 4 * LARGE,
    "gzip": lambda channel: _unary(channel, b"z" * 100_000, compression=grpc.Compression.Gzip) == b"z" * 100_000,
    "a server's stream": lambda channel: list(_stream(channel, b"2000")) == [b"%d" % number for number in range(2000)],
    "a server's empty stream": lambda channel: list(_stream(channel, b"0")) == [],
    "a client's stream": lambda channel: (
        channel.stream_unary("/kit.Kit/ClientStream")(iter([b"x" * 1000] * 2000), timeout=20) == b"2000000"
    ),
    "a client's empty stream": lambda channel: (
        channel.stream_unary("/kit.Kit/ClientStream")(iter([]), timeout=20) == b"0"
    ),
    "a stream both ways": lambda channel: (
        list(channel.stream_stream("/kit.Kit/Bidi")(iter([b"a"] * 1000), timeout=20)) == [b"a"] * 1000
    ),
    "a stream both ways, one by one": _interleaved,
    "a stream both ways that fails": _bidi_fails,
    "a stream that fails in the middle": _in_mid_stream,
    "an unknown method": _unknown_method,
    "metadata and trailers": _metadata,
    "a deadline is passed on": lambda channel: 5 < float(_unary(channel, b"left", timeout=10)) <= 11,
    "a deadline that passes": _deadline,
    "a call cancelled": _cancel,
    "calls beside open streams": _left_open,
    "three hundred at once": _concurrent,
}


def _statuses(channel: grpc.Channel) -> Iterator[Case]:
    for code in grpc.StatusCode:
        if code is grpc.StatusCode.OK:
            continue
        try:
            _unary(channel, b"status %d" % code.value[0])
            yield Case(f"status {code.name}", False, "no failure")
        except grpc.RpcError as error:
            right = error.code() == code and error.details() == "né: 100%\n" + code.name
            right = right and ("x-why", "told to") in error.trailing_metadata()
            yield Case(f"status {code.name}", right, f"{error.code()} {error.details()}")
