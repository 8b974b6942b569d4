"""A gRPC client over TLS. Arguments: ADDRESS:PORT HOST CA_FILE.

Connects to ADDRESS:PORT as HOST, trusting the CA; calls once, streams three messages and back, and calls
for a failure, printing one line for each answer.
"""

import sys

import grpc

target, host, ca_file = sys.argv[1:]
with open(ca_file, "rb") as file:
    credentials = grpc.ssl_channel_credentials(file.read())
options = [
    ("grpc.ssl_target_name_override", host),
    ("grpc.default_authority", host),
    ("grpc.enable_http_proxy", 0),
]
with grpc.secure_channel(target, credentials, options) as channel:
    unary = channel.unary_unary("/echo.Echo/Unary")
    stream = channel.stream_stream("/echo.Echo/Stream")
    print(unary(b"one", timeout=20).decode())
    for answer in stream(iter([b"a", b"b", b"c"]), timeout=20):
        print(answer.decode())
    try:
        unary(b"fail", timeout=20)
    except grpc.RpcError as error:
        print(error.code().name, error.details())
