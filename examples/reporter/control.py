"""The connection to the control plane: calls, the watch, and leases."""

import asyncio
import logging
from pathlib import Path

import grpc
from backoff import Backoff
from epr.v1 import deployment_pb2 as messages
from epr.v1 import deployment_pb2_grpc as services

log = logging.getLogger("reporter")

# Seconds a call may take.
CALL = 10
# Seconds a watch may be silent: control sends a heartbeat every five.
SILENCE = 20

# What passes: control is away or refuses, the connection breaks, the token is just being replaced.
NOT_NOW = (grpc.aio.AioRpcError, OSError)

OPTIONS = [
    ("grpc.enable_http_proxy", 0),
    # gRPC's own back-off grows to two minutes; who follows a control plane comes back sooner.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 3000),
]


def told(error: Exception) -> str:
    """What is wrong, for people."""
    text = error.details() if isinstance(error, grpc.aio.AioRpcError) else str(error)
    return text or type(error).__name__


class Control:
    """What a runtime asks of control."""

    def __init__(self, target: str, token_file: Path, ca: Path | None):
        if ca is None:
            self.channel = grpc.aio.insecure_channel(target, OPTIONS)
        else:
            credentials = grpc.ssl_channel_credentials(ca.read_bytes())
            self.channel = grpc.aio.secure_channel(target, credentials, OPTIONS)
        self.runtime = services.RuntimeServiceStub(self.channel)
        self.token_file = token_file

    async def call(self, method: str, request):
        """Calls a method of the runtime service."""
        return await getattr(self.runtime, method)(request, metadata=self.token(), timeout=CALL)

    async def watch(self):
        """Every message of one watch. Raises when it ends, however it ends."""
        stream = self.runtime.WatchDeployments(messages.WatchDeploymentsRequest(), metadata=self.token())
        try:
            while True:
                message = await asyncio.wait_for(stream.read(), SILENCE)
                if message is grpc.aio.EOF:
                    raise ConnectionError("the watch ended")
                yield message
        finally:
            stream.cancel()

    def token(self):
        # Read anew each time: whoever changes the token need not restart this.
        return (("authorization", f"Bearer {self.token_file.read_text().strip()}"),)


class Leases:
    """One lease for each project in which something runs, kept alive as long as this process lives."""

    def __init__(self, control: Control, name: str, ttl: int, tasks: asyncio.TaskGroup, on_lost):
        self.control, self.name, self.ttl = control, name, ttl
        self.tasks, self.on_lost = tasks, on_lost
        self.held: dict[str, str] = {}
        self.opening = asyncio.Lock()
        self.keepers: list[asyncio.Task] = []

    async def of(self, project: str) -> str:
        """The lease of a project, opened when there is none."""
        async with self.opening:
            if project not in self.held:
                request = messages.OpenLeaseRequest(runtime=self.name, ttl_seconds=self.ttl, project=project)
                lease = await self.control.call("OpenLease", request)
                self.held[project] = lease.id
                self.keepers.append(self.tasks.create_task(self.keep(project, lease.id, lease.ttl_seconds)))
                log.info("opened lease %s of %d s in %s", lease.id, lease.ttl_seconds, project)
            return self.held[project]

    def lost(self, project: str, lease: str):
        """Forgets a lease that control does not know: what was reported under it is void."""
        if self.held.get(project) == lease:
            del self.held[project]
            log.warning("lease %s is lost", lease)
            self.on_lost(project)

    async def keep(self, project: str, lease: str, ttl: int):
        """Keeps a lease alive until it is lost. One that lapsed while control was away revives."""
        backoff = Backoff(most=ttl / 3)
        wait = ttl / 3
        while self.held.get(project) == lease:
            await asyncio.sleep(wait)
            try:
                await self.prove(project, lease)
                wait = ttl / 3
                backoff.reset()
            except NOT_NOW as error:
                wait = backoff.next()
                log.warning("lease %s is not kept alive: %s", lease, told(error))

    async def prove(self, project: str, lease: str):
        """Keeps a lease alive now, or finds that it is lost."""
        try:
            await self.control.call("KeepAlive", messages.KeepAliveRequest(id=lease, project=project))
        except grpc.aio.AioRpcError as error:
            if error.code() != grpc.StatusCode.NOT_FOUND:
                raise
            self.lost(project, lease)

    async def close(self):
        """Ends every lease: no request is sent to what is about to end."""
        for keeper in self.keepers:
            keeper.cancel()
        for project, lease in self.held.items():
            try:
                await self.control.call("CloseLease", messages.CloseLeaseRequest(id=lease, project=project))
                log.info("closed lease %s", lease)
            except NOT_NOW as error:
                log.warning("lease %s is not closed and will lapse: %s", lease, told(error))
