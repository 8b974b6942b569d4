"""Runs one deployment, and reports on it."""

import asyncio
import json
import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import grpc
from backoff import Backoff
from control import Control, Leases
from epr.v1 import deployment_pb2 as messages
from epr.v1 import package_pb2 as packages

log = logging.getLogger("reporter")
APP = Path(__file__).with_name("app.py")

# What the application serves for each type of endpoint; what is not here has no address of its own.
KINDS = {
    packages.ENDPOINT_TYPE_EXTERNAL_HTTP: "http",
    packages.ENDPOINT_TYPE_EXTERNAL_HTTPS: "http",
    packages.ENDPOINT_TYPE_EXTERNAL_SECURE_TCP: "tls",
}


class CannotRun(Exception):
    """The deployment asks for what this runtime has not."""


@dataclass
class Running:
    """The processes of one generation."""

    generation: int
    processes: list[asyncio.subprocess.Process]
    backends: dict[str, list[str]]

    def crashed(self) -> bool:
        return any(process.returncode is not None for process in self.processes)

    async def stop(self, grace: float = 0):
        """Lets what is under way finish, then ends the processes."""
        await asyncio.sleep(grace)
        for process in self.processes:
            process.stdin.close()
        for process in self.processes:
            try:
                await asyncio.wait_for(process.wait(), 5)
            except TimeoutError:
                process.kill()


class Worker:
    """Keeps one deployment as control wants it, until it is cancelled."""

    def __init__(self, control: Control, leases: Leases, options, wanted):
        self.control, self.leases, self.options = control, leases, options
        self.wanted, self.running, self.restarts = wanted, None, 0
        self.reported = None
        self.look = asyncio.Event()
        self.ending: set[asyncio.Task] = set()

    def want(self, wanted):
        """It is to run otherwise, or a new watch tells what control knows of it."""
        self.wanted = wanted
        # Told anew is compared anew: a control plane put back from a copy has forgotten reports.
        self.reported = None
        self.look.set()

    def report_again(self):
        self.reported = None
        self.look.set()

    async def run(self):
        backoff = Backoff()
        name = self.wanted.deployment.metadata.name
        try:
            while True:
                self.look.clear()
                try:
                    await self.settle()
                    backoff.reset()
                    await self.look.wait()
                except grpc.aio.AioRpcError as error:
                    log.warning("%s: %s: %s", name, error.code().name, error.details())
                    await self.look_within(backoff.next())
                except Exception:
                    # Whatever is wrong with one deployment, the others run on.
                    log.exception("%s: trying again", name)
                    await self.look_within(backoff.next())
        finally:
            if self.running:
                await self.running.stop()
            log.info("%s runs no more", name)

    async def look_within(self, seconds: float):
        try:
            await asyncio.wait_for(self.look.wait(), seconds)
        except TimeoutError:
            pass

    async def settle(self):
        """Makes what runs what is wanted, and control know it."""
        wanted, old = self.wanted, self.running
        generation = wanted.deployment.status.generation
        if old and old.crashed():
            self.restarts += 1
            await self.report(status=messages.STATUS_ERROR, error_codes=["DEP_E154"], state=messages.EXECUTABLE_STATE_ERROR)
        elif old and old.generation == generation:
            return await self.report_running()
        elif waits := waits_for(wanted.deployment):
            return await self.report(phase=messages.PHASE_PROVISIONING, message=f"waits for {', '.join(waits)}")
        else:
            await self.report(phase=messages.PHASE_PROVISIONING)
        # The old processes serve until the new ones are known everywhere: no request falls in between.
        try:
            self.running = await self.start(wanted)
        except CannotRun as reason:
            return await self.report_failed(str(reason))
        await self.report_running()
        if old:
            task = asyncio.create_task(old.stop(self.options.grace))
            self.ending.add(task)
            task.add_done_callback(self.ending.discard)

    async def start(self, wanted) -> Running:
        deployment, plan = wanted.deployment, wanted.plan
        endpoints = endpoints_to_serve(deployment, plan)
        generation = deployment.status.generation
        environment = await self.environment(deployment)
        replicas = max((component.replicas or 1 for component in plan.components), default=1)
        what = json.dumps({"host": self.options.listen, "endpoints": endpoints})
        running = Running(generation, [], {name: [] for name in endpoints})
        try:
            for replica in range(replicas):
                process = await asyncio.create_subprocess_exec(
                    sys.executable, str(APP), what,
                    stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                    env=environment | {"EPR_REPLICA": str(replica)},
                )  # fmt: skip
                running.processes.append(process)
                line = await asyncio.wait_for(process.stdout.readline(), 30)
                if not line:
                    raise OSError("the application ended before it served")
                for name, port in json.loads(line).items():
                    running.backends[name].append(f"{self.options.listen}:{port}")
                self.watch_exit(process)
        except BaseException:
            await running.stop()
            raise
        log.info("%s runs generation %d: %s", deployment.metadata.name, generation, running.backends)
        return running

    def watch_exit(self, process):
        async def wait():
            await process.wait()
            self.look.set()

        task = asyncio.create_task(wait())
        self.ending.add(task)
        task.add_done_callback(self.ending.discard)

    async def environment(self, deployment) -> dict[str, str]:
        """What the processes see: what control says, with the values of secrets filled in."""
        metadata, shown = deployment.metadata, deployment.status.environment
        secrets = {}
        if any(variable.HasField("value_from") for variable in shown):
            request = messages.GetDeploymentSecretsRequest(deployment=metadata.guid, project=metadata.project)
            found = await self.control.call("GetDeploymentSecrets", request)
            secrets = {secret.name: secret.opaque.values for secret in found.secrets}
        environment = {"PATH": os.environ.get("PATH", ""), "EPR_DEPLOYMENT": metadata.name}
        environment["EPR_GENERATION"] = str(deployment.status.generation)
        for variable in shown:
            value = variable.value
            if variable.HasField("value_from"):
                value = secrets.get(variable.value_from.secret, {}).get(variable.value_from.key, "")
            environment[variable.name] = value
        return environment

    async def report_running(self):
        await self.report(
            phase=messages.PHASE_SUCCEEDED,
            status=messages.STATUS_RUNNING,
            backends=self.running.backends,
            state=messages.EXECUTABLE_STATE_RUNNING,
        )

    async def report_failed(self, reason: str):
        """An update that fails leaves what ran before; a deployment that ran once is in error, not unstarted."""
        status = self.wanted.deployment.status
        failed = messages.PHASE_FAILED_TO_START if status.generation == 1 else messages.PHASE_FAILED_TO_UPDATE
        phase = messages.PHASE_UNSPECIFIED if status.phase == messages.PHASE_SUCCEEDED else failed
        await self.report(phase=phase, status=messages.STATUS_ERROR, error_codes=["DEP_E155"], message=reason)

    async def report(self, backends=None, state=messages.EXECUTABLE_STATE_PENDING, **fields):
        """Tells control, unless it has been told the same under the same lease."""
        metadata = self.wanted.deployment.metadata
        lease = await self.leases.of(metadata.project)
        report = messages.ReportDeploymentRequest(
            lease_id=lease, deployment=metadata.guid, project=metadata.project,
            generation=self.wanted.deployment.status.generation,
            executables=executables(self.wanted.plan, state, self.restarts), **fields,
        )  # fmt: skip
        for endpoint, addresses in (backends or {}).items():
            entry = report.backends.add(endpoint=endpoint)
            for address in addresses:
                entry.backends.add(address=address)
        if report == self.reported:
            return
        try:
            await self.control.call("ReportDeployment", report)
            self.reported = report
        except grpc.aio.AioRpcError as error:
            if error.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION):
                # Of a generation that is over, or of a deployment that is stopped: the watch tells what comes next.
                log.warning("%s: report refused: %s", metadata.name, error.details())
            elif error.code() == grpc.StatusCode.NOT_FOUND:
                self.leases.lost(metadata.project, lease)
                raise
            else:
                raise


def waits_for(deployment) -> list[str]:
    """The deployments it waits for that do not run yet."""
    awaited = {depends.deployment for depends in deployment.spec.depends if depends.wait}
    running = (messages.STATUS_RUNNING,)
    there = deployment.status.dependencies
    return [d.name for d in there if awaited & {d.name, d.guid} and d.status not in running]


def endpoints_to_serve(deployment, plan) -> dict[str, str]:
    """The external endpoints, each with what the application is to serve there. Those with backends that are simply
    there are not ours."""
    fixed = {backends.endpoint for backends in deployment.spec.backends}
    declared = [endpoint for component in plan.components for endpoint in component.endpoints]
    ours = {e.name: e for e in declared if e.type in KINDS and e.name not in fixed}
    for endpoint in ours.values():
        if endpoint.backend_protocol == packages.BACKEND_PROTOCOL_H2C:
            raise CannotRun(f"endpoint {endpoint.name} wants h2c, and this example speaks HTTP/1.1 alone")
    return {name: KINDS[endpoint.type] for name, endpoint in ours.items()}


def executables(plan, state, restarts: int):
    """What control is told of each executable of the plan."""
    every = (executable for component in plan.components for executable in component.executables)
    return [
        messages.ExecutableStatus(name=e.name, image=e.docker.image, state=state, restart_count=restarts) for e in every
    ]
