"""A platform service that runs the deployments of an epr control plane: see README.md."""

import argparse
import asyncio
import logging
import signal
import socket
import sys
from pathlib import Path

# Where generate.py puts them by default; PYTHONPATH may name another place.
sys.path.append(str(Path(__file__).with_name("stubs")))

from backoff import Backoff
from control import NOT_NOW, Control, Leases, told
from worker import Worker

log = logging.getLogger("reporter")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--control", default="127.0.0.1:7700", metavar="HOST:PORT", help="gRPC of control")
    parser.add_argument("--token-file", type=Path, required=True, help="a token of the role runtime")
    parser.add_argument("--ca", type=Path, help="CA of control's certificate; without it, no TLS")
    parser.add_argument("--name", default=socket.gethostname(), help="what the lease says of its holder")
    parser.add_argument("--ttl", type=int, default=30, help="seconds without a sign of life before the lease lapses")
    parser.add_argument("--listen", default="127.0.0.1", help="where the example application listens")
    parser.add_argument("--grace", type=float, default=5.0, help="seconds the old processes of an update still serve")
    return parser.parse_args()


class Reporter:
    """Everything that runs here: one worker for each deployment."""

    def __init__(self, options, tasks: asyncio.TaskGroup):
        self.options, self.tasks = options, tasks
        self.control = Control(options.control, options.token_file, options.ca)
        self.leases = Leases(self.control, options.name, options.ttl, tasks, self.lease_lost)
        self.workers: dict[str, tuple[Worker, asyncio.Task]] = {}

    async def follow(self):
        """Watches for ever, a new watch after each that ends."""
        backoff = Backoff()
        while True:
            try:
                await self.one_watch(backoff)
            except NOT_NOW as error:
                wait = backoff.next()
                log.warning("no watch: %s; again in %.1f s", told(error), wait)
                await asyncio.sleep(wait)

    async def one_watch(self, backoff: Backoff):
        there = set()
        async for message in self.control.watch():
            match message.WhichOneof("message"):
                case "run":
                    there.add(message.run.deployment.metadata.guid)
                    self.take(message.run)
                case "stop":
                    self.drop(message.stop.guid)
                case "synced":
                    # What was stopped while nobody watched is told by its absence.
                    for guid in self.workers.keys() - there:
                        self.drop(guid)
                    backoff.reset()
                    log.info("in step with control: %d deployments", len(self.workers))

    def take(self, wanted):
        deployment = wanted.deployment
        if guid_runs := self.workers.get(deployment.metadata.guid):
            guid_runs[0].want(wanted)
        elif not runs_by_itself(deployment):
            worker = Worker(self.control, self.leases, self.options, wanted)
            self.workers[deployment.metadata.guid] = worker, self.tasks.create_task(worker.run())

    def drop(self, guid: str):
        if found := self.workers.pop(guid, None):
            found[1].cancel()

    def lease_lost(self, project: str):
        for worker, _ in self.workers.values():
            if worker.wanted.deployment.metadata.project == project:
                worker.report_again()

    async def end(self):
        """Closes the leases first: the edge sends no more requests to what ends after that."""
        await self.leases.close()
        for guid in list(self.workers):
            self.drop(guid)


def runs_by_itself(deployment) -> bool:
    """Whether its manifest says where every external endpoint listens: there is nothing to start."""
    fixed = {backends.endpoint for backends in deployment.spec.backends}
    external = {endpoint.name for endpoint in deployment.status.endpoints if endpoint.random_host}
    return bool(external) and external <= fixed


async def main():
    options = arguments()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with asyncio.TaskGroup() as tasks:
        reporter = Reporter(options, tasks)
        following = tasks.create_task(reporter.follow())
        await stop.wait()
        log.info("stopping")
        following.cancel()
        await reporter.end()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(main())
