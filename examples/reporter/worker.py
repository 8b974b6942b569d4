"""Keeps one deployment as control wants it, and reports on it."""

import asyncio
import logging

import grpc
import runner
from backoff import Backoff
from control import Control, Leases
from epr.v1 import deployment_pb2 as messages
from runner import CannotRun, Replica, Running

log = logging.getLogger("reporter")


class Worker:
    """Keeps one deployment as control wants it, until it is cancelled."""

    def __init__(self, control: Control, leases: Leases, options, wanted):
        self.control, self.leases, self.options = control, leases, options
        self.wanted, self.running, self.reported = wanted, None, None
        self.restarts, self.crashes = 0, Backoff()
        # What ran before, until the edge sends its requests elsewhere.
        self.replaced: list[Running] = []
        self.look = asyncio.Event()
        self.beside: set[asyncio.Task] = set()

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
                except OSError as error:
                    log.warning("%s: %s", name, error)
                    await self.look_within(backoff.next())
                except Exception:
                    # Whatever is wrong with one deployment, the others run on.
                    log.exception("%s: trying again", name)
                    await self.look_within(backoff.next())
        finally:
            for running in [self.running, *self.replaced]:
                if running:
                    await running.stop()
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
        if old and old.generation == generation and not old.crashed():
            await self.report_running(wanted)
            return
        if old and old.crashed():
            self.restarts += 1
            await self.report_running(wanted, messages.STATUS_ERROR, error_codes=["DEP_E154"])
            await asyncio.sleep(self.crashes.next())
        elif waits := waits_for(wanted.deployment):
            message = f"waits for {', '.join(waits)}"
            await self.report(wanted, phase=messages.PHASE_PROVISIONING, message=message)
            return
        else:
            self.crashes.reset()
            await self.report(wanted, phase=messages.PHASE_PROVISIONING)
        try:
            self.running = await runner.start(self.control, self.options.listen, wanted)
        except CannotRun as reason:
            await self.report_failed(wanted, str(reason))
            return
        for replica in self.running.replicas:
            self.own(self.look_at_end(replica))
        if old:
            self.replaced.append(old)
        if not await self.report_running(wanted):
            # The addresses belong to another project, say. Others may do; what ran before serves on.
            refused, self.running = self.running, old
            if old:
                self.replaced.remove(old)
            await refused.stop()
            raise OSError("control does not take where it listens")

    async def look_at_end(self, replica: Replica):
        await replica.process.wait()
        self.look.set()

    def own(self, work):
        """Has it done beside everything else."""
        task = asyncio.create_task(work)
        self.beside.add(task)
        task.add_done_callback(self.beside.discard)

    async def report_running(self, wanted, status=messages.STATUS_RUNNING, **fields) -> bool:
        """What runs of it serves, be it of a generation before or a part of the replicas. False when refused."""
        runs = status == messages.STATUS_RUNNING
        fields["state"] = messages.EXECUTABLE_STATE_RUNNING if runs else messages.EXECUTABLE_STATE_ERROR
        if runs:
            fields["phase"] = messages.PHASE_SUCCEEDED
        known = await self.report(wanted, status=status, replicas=self.running.replicas, **fields)
        # Not before the new ones are known, and then some time later: no request falls in between.
        while known and runs and self.replaced:
            self.own(self.replaced.pop().stop(self.options.grace))
        return known

    async def report_failed(self, wanted, reason: str):
        """An update that fails leaves what ran before; a deployment that ran once is in error, not unstarted."""
        status = wanted.deployment.status
        failed = messages.PHASE_FAILED_TO_START if status.generation == 1 else messages.PHASE_FAILED_TO_UPDATE
        phase = messages.PHASE_UNSPECIFIED if status.phase == messages.PHASE_SUCCEEDED else failed
        state = messages.EXECUTABLE_STATE_ERROR
        codes = ["DEP_E155"]
        await self.report(
            wanted, phase=phase, status=messages.STATUS_ERROR, error_codes=codes, message=reason, state=state
        )

    async def report(self, wanted, replicas=(), state=messages.EXECUTABLE_STATE_PENDING, **fields) -> bool:
        """Tells control, unless it has been told the same under the same lease. Without replicas the backends stay
        as they were reported before. False when control refuses it."""
        metadata = wanted.deployment.metadata
        lease = await self.leases.of(metadata.project)
        report = messages.ReportDeploymentRequest(
            lease_id=lease, deployment=metadata.guid, project=metadata.project,
            generation=wanted.deployment.status.generation,
            executables=executables(wanted.plan, state, self.restarts), **fields,
        )  # fmt: skip
        for endpoint in sorted({name for replica in replicas for name in replica.addresses}):
            serving = report.backends.add(endpoint=endpoint)
            for replica in filter(Replica.runs, replicas):
                serving.backends.add(address=replica.addresses[endpoint])
        if report == self.reported:
            return True
        try:
            await self.control.call("ReportDeployment", report)
        except grpc.aio.AioRpcError as error:
            if error.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION):
                # Of a generation that is over, or of a deployment that is stopped: the watch tells what comes next.
                log.warning("%s: report refused: %s", metadata.name, error.details())
                return False
            if error.code() == grpc.StatusCode.NOT_FOUND:
                await self.leases.prove(metadata.project, lease)
            raise
        self.reported = report
        return True


def waits_for(deployment) -> list[str]:
    """The deployments it waits for that do not run yet."""
    awaited = {depends.deployment for depends in deployment.spec.depends if depends.wait}
    there = deployment.status.dependencies
    return [d.name for d in there if awaited & {d.name, d.guid} and d.status != messages.STATUS_RUNNING]


def executables(plan, state, restarts: int):
    """What control is told of each executable of the plan."""
    every = (executable for component in plan.components for executable in component.executables)
    return [
        messages.ExecutableStatus(name=e.name, image=e.docker.image, state=state, restart_count=restarts) for e in every
    ]
