"""Makes Python of the proto files: `generate.py DIRECTORY`."""

import sys
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

PROTO = Path(__file__).resolve().parents[2] / "proto"
# google/protobuf/timestamp.proto and its like.
WELL_KNOWN = Path(grpc_tools.__file__).parent / "_proto"


def main(target: Path) -> int:
    target.mkdir(parents=True, exist_ok=True)
    files = sorted(str(path) for path in (PROTO / "epr" / "v1").glob("*.proto"))
    options = [f"-I{PROTO}", f"-I{WELL_KNOWN}", f"--python_out={target}", f"--grpc_python_out={target}"]
    return protoc.main(["protoc", *options, *files])


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
