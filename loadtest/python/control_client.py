"""Control from another language: arguments ADDRESS:PORT TOKEN_FILE PROTO_DIR NAME.

Compiles the .proto files as a platform engineer would, claims the static route NAME, claims it again, and
asks without a token; prints one line for each answer. Asks health, which needs no token.
"""

import sys
import tempfile

import grpc
from grpc_tools import protoc

target, token_file, proto_dir, name = sys.argv[1:]
generated = tempfile.TemporaryDirectory()
files = ["common", "package", "deployment", "static_route", "route", "route_feed", "fleet", "secret", "identity"]
paths = [f"epr/v1/{file}.proto" for file in files]
flags = [f"--python_out={generated.name}", f"--grpc_python_out={generated.name}"]
include = protoc.__file__.rsplit("/", 1)[0] + "/_proto"
if protoc.main(["protoc", f"-I{proto_dir}", f"-I{include}", *flags, *paths]) != 0:
    sys.exit("protoc failed")
sys.path.insert(0, generated.name)

from epr.v1 import static_route_pb2 as messages  # noqa: E402
from epr.v1 import static_route_pb2_grpc as services  # noqa: E402

with open(token_file) as file:
    token = [("authorization", f"Bearer {file.read().strip()}")]
request = messages.CreateStaticRouteRequest(static_route={"metadata": {"name": name}})


def tell(call) -> None:
    try:
        print(call())
    except grpc.RpcError as error:
        print(error.code().name)


with grpc.insecure_channel(target, [("grpc.enable_http_proxy", 0)]) as channel:
    routes = services.StaticRouteServiceStub(channel)
    tell(lambda: routes.CreateStaticRoute(request, metadata=token, timeout=20).hostname)
    tell(lambda: routes.CreateStaticRoute(request, metadata=token, timeout=20).hostname)
    tell(lambda: routes.CreateStaticRoute(request, timeout=20).hostname)
    health = channel.unary_unary("/grpc.health.v1.Health/Check")
    tell(lambda: "serving" if health(b"", timeout=20) == b"\x08\x01" else "not serving")
