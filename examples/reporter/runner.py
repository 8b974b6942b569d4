"""Starts and ends the processes of a deployment: the part to replace by whatever really runs things."""

import asyncio
import json
import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from control import Control
from epr.v1 import deployment_pb2 as messages
from epr.v1 import package_pb2 as packages

log = logging.getLogger("reporter")
APP = Path(__file__).with_name("app.py")
# Seconds the application may take to start, and to end.
START, END = 30, 5

# What the application serves for each type of endpoint; what is not here has no address of its own.
KINDS = {
    packages.ENDPOINT_TYPE_EXTERNAL_HTTP: "http",
    packages.ENDPOINT_TYPE_EXTERNAL_HTTPS: "http",
    packages.ENDPOINT_TYPE_EXTERNAL_SECURE_TCP: "tls",
}


class CannotRun(Exception):
    """The deployment asks for what this runtime has not."""


@dataclass
class Replica:
    """One process, and the address it serves each endpoint at."""

    process: asyncio.subprocess.Process
    addresses: dict[str, str]

    def runs(self) -> bool:
        return self.process.returncode is None


@dataclass
class Running:
    """The replicas of one generation."""

    generation: int
    replicas: list[Replica]

    def crashed(self) -> bool:
        return not all(replica.runs() for replica in self.replicas)

    async def stop(self, grace: float = 0):
        """Lets what is under way finish, then ends the processes."""
        await asyncio.sleep(grace)
        for replica in self.replicas:
            replica.process.stdin.close()
        for replica in self.replicas:
            try:
                await asyncio.wait_for(replica.process.wait(), END)
            except TimeoutError:
                replica.process.kill()


async def start(control: Control, listen: str, wanted: messages.DeploymentToRun) -> Running:
    """Starts every replica, or none."""
    deployment, plan = wanted.deployment, wanted.plan
    endpoints = endpoints_to_serve(deployment, plan)
    environment = await environment_of(control, deployment)
    count = max((component.replicas or 1 for component in plan.components), default=1)
    running = Running(deployment.status.generation, [])
    try:
        for number in range(count):
            await start_replica(running, listen, endpoints, environment | {"EPR_REPLICA": str(number)})
    except BaseException:
        await running.stop()
        raise
    log.info("%s runs generation %d", deployment.metadata.name, running.generation)
    return running


async def start_replica(running: Running, listen: str, endpoints: dict[str, str], environment: dict[str, str]):
    what = json.dumps({"host": listen, "endpoints": endpoints})
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(APP), what, stdin=pipe, stdout=pipe, env=environment
    )
    replica = Replica(process, {})
    running.replicas.append(replica)
    line = await asyncio.wait_for(process.stdout.readline(), START)
    if not line:
        raise OSError("the application ended before it served")
    replica.addresses = {name: f"{listen}:{port}" for name, port in json.loads(line).items()}


async def environment_of(control: Control, deployment) -> dict[str, str]:
    """What the processes see: what control says, with the values of secrets filled in."""
    metadata, shown = deployment.metadata, deployment.status.environment
    secrets = {}
    if any(variable.HasField("value_from") for variable in shown):
        request = messages.GetDeploymentSecretsRequest(deployment=metadata.guid, project=metadata.project)
        found = await control.call("GetDeploymentSecrets", request)
        secrets = {secret.name: secret.opaque.values for secret in found.secrets}
    environment = {"PATH": os.environ.get("PATH", ""), "EPR_DEPLOYMENT": metadata.name}
    environment["EPR_GENERATION"] = str(deployment.status.generation)
    for variable in shown:
        value = variable.value
        if variable.HasField("value_from"):
            source = variable.value_from
            value = secrets.get(source.secret, {}).get(source.key)
            if value is None:
                raise CannotRun(f"secret {source.secret} has no key {source.key}")
        environment[variable.name] = value
    return environment


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
