"""A gRPC server in the clear: echo.Echo/Unary and echo.Echo/Stream. Arguments: ADDRESS NAME."""

import json
import sys
from concurrent import futures

import grpc

address, name = sys.argv[1:]


def unary(request: bytes, context) -> bytes:
    if request == b"fail":
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, f"{name} was told to fail")
    return name.encode() + b": " + request


def stream(requests, context):
    for request in requests:
        yield unary(request, context)


handlers = {
    "Unary": grpc.unary_unary_rpc_method_handler(unary),
    "Stream": grpc.stream_stream_rpc_method_handler(stream),
}
server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("echo.Echo", handlers),))
port = server.add_insecure_port(f"{address}:0")
server.start()
print(json.dumps({"port": port}), flush=True)
server.wait_for_termination()
