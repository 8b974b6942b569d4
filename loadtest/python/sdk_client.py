"""The real client's library against the JSON API: every verb on every kind of resource, as its users call it.

usage: sdk_client.py CONFIG [--nothing-runs]

CONFIG is the configuration the command line client logged in with. Where nothing runs deployments, they are
left out.

Says what it did, one line each; ends with an error at the first thing that is not as it should be.
"""

import json
import sys
import time

from rapyuta_io_sdk_v2 import Client, Configuration, walk_pages
from rapyuta_io_sdk_v2.exceptions import (
    HttpAlreadyExistsError,
    HttpNotFoundError,
    MethodNotAllowedError,
    UnauthorizedAccessError,
)
from rapyuta_io_sdk_v2.models import SecretCreate

SECONDS = 30


def client(config: dict, **more) -> Client:
    settings = {
        "auth_token": config["auth_token"],
        "organization_guid": config["organization_id"],
        "project_guid": config["project_id"],
        "v2_api_host": config["v2api_host"],
        "rip_host": config["rip_host"],
    }
    return Client(Configuration(**{**settings, **more}))


def refused(kind: type[Exception], words: str, call, *args, **kwargs) -> None:
    try:
        call(*args, **kwargs)
    except kind as error:
        assert words in str(error), f"{words!r} is not in {error!s}"
        return
    raise AssertionError(f"{call.__name__} was not refused: {words}")


def package(name: str, version: str, **metadata) -> dict:
    return {
        "metadata": {"name": name, "version": version, **metadata},
        "spec": {
            "runtime": "cloud",
            "executables": [
                {
                    "name": "app",
                    "docker": {"image": "example.com/app:1"},
                    "command": "serve",
                    "runAsBash": True,
                    "limits": {"cpu": 0.1, "memory": 256},
                }
            ],
            "environmentVars": [{"name": "LEVEL", "default": "info"}],
            "endpoints": [{"name": "WEB", "type": "external-http", "port": 80, "targetPort": 8080}],
        },
    }


def deployment(name: str, of: str, version: str, routes: list[str]) -> dict:
    bound = [{"name": "WEB", "depends": {"kind": "StaticRoute", "nameOrGUID": route}} for route in routes]
    return {
        "metadata": {"name": name, "depends": {"nameOrGUID": of, "version": version}},
        "spec": {
            "runtime": "cloud",
            "envArgs": [{"name": "LEVEL", "value": "debug"}, {"name": "OWN", "value": "1"}],
            "staticRoutes": bound,
        },
    }


def until_succeeded(io: Client, name: str):
    deadline = time.monotonic() + SECONDS
    while True:
        found = io.get_deployment(name)
        if found.status.phase == "Succeeded":
            return found
        assert time.monotonic() < deadline, f"{name}: {found.status}"
        time.sleep(0.05)


def names(pages) -> list[str]:
    return [item.metadata.name for page in pages for item in page]


def identity(io: Client, config: dict) -> None:
    me = io.get_myself()
    assert me.spec.email_id == "admin" and me.spec.organizations[0].name == "default", me
    assert me.spec.projects[0].guid == config["project_id"], me
    assert io.get_subject(config["auth_token"])["data"]["email"] == "admin"
    assert io.refresh_token(set_token=False) == config["auth_token"]
    assert io.get_organization().metadata.name == "default"
    assert io.get_project().metadata.name == "default"
    refused(MethodNotAllowedError, "no passwords", io.login, "me@example.com", "secret")
    stranger = client(config, auth_token="epr_" + "a" * 40)
    refused(UnauthorizedAccessError, "not known", stranger.list_packages)
    refused(UnauthorizedAccessError, "needs a token", client(config, auth_token=None).list_packages)
    elsewhere = client(config, project_guid="project-" + "a" * 20)
    refused(HttpNotFoundError, "there is no project", elsewhere.list_packages)
    print("who calls: told, refreshed, strangers refused")


def projects(io: Client) -> None:
    io.create_project({"metadata": {"name": "sdk-made"}, "spec": {}})
    refused(HttpAlreadyExistsError, "sdk-made", io.create_project, {"metadata": {"name": "sdk-made"}, "spec": {}})
    found = io.list_projects(name="sdk-made").items
    assert [it.metadata.name for it in found] == ["sdk-made"] and found[0].status.status == "Success"
    assert "sdk-made" in names(walk_pages(io.list_projects, limit=1))
    io.delete_project(found[0].metadata.guid)
    refused(HttpNotFoundError, "no project", io.get_project, found[0].metadata.guid)
    print("projects: created, found, deleted")


def secrets(io: Client) -> None:
    opaque = {"metadata": {"name": "sdk-keys"}, "spec": {"type": "Opaque", "data": {"user": "a", "word": "b"}}}
    made = io.create_secret(SecretCreate(**opaque))
    assert made.spec.secret_keys == ["user", "word"] and made.spec.data is None, made
    refused(HttpAlreadyExistsError, "sdk-keys", io.create_secret, SecretCreate(**opaque))
    opaque["spec"]["data"] = {"other": "c"}
    assert io.update_secret("sdk-keys", SecretCreate(**opaque)).spec.secret_keys == ["other"]
    docker = {
        "metadata": {"name": "sdk-registry", "labels": {"team": "sdk"}},
        "spec": {"type": "Docker", "docker": {"username": "u", "password": "p", "email": "e@example.com"}},
    }
    io.create_secret(SecretCreate(**docker))
    assert io.get_secret("sdk-registry").spec.docker.username == "u"
    assert names(walk_pages(io.list_secrets, label_selector=["team=sdk"])) == ["sdk-registry"]
    for name in ["sdk-keys", "sdk-registry"]:
        io.delete_secret(name)
    refused(HttpNotFoundError, "no secret", io.get_secret, "sdk-keys")
    print("secrets: created, replaced, told without what they hold, deleted")


def packages(io: Client) -> None:
    # A name that is nobody's host name, and more of them than a page has.
    for number in range(7):
        io.create_package(package("sdk package_x", f"1.0.{number}", labels={"n": str(number % 2)}))
    refused(HttpAlreadyExistsError, "1.0.3", io.create_package, package("sdk package_x", "1.0.3"))
    refused(MethodNotAllowedError, "spec.endpoints[0].port", io.create_package, wrong_port())
    for limit in [1, 2, 3, 7, 50]:
        pages = list(walk_pages(io.list_packages, name="sdk package_x", limit=limit))
        versions = [item.metadata.version for page in pages for item in page]
        assert sorted(versions) == [f"1.0.{n}" for n in range(7)], (limit, versions)
    assert len(io.list_packages(label_selector=["n=1"]).items) == 3
    found = io.get_package("sdk package_x", version="1.0.4")
    executable = found.spec.executables[0]
    # Read again and again, it gets no second shell before the first.
    assert executable.command == ["/bin/bash", "-c", "serve"] and not executable.run_as_bash, executable
    assert io.get_package(found.metadata.guid).metadata.version == "1.0.4"
    for number in range(1, 7):
        io.delete_package("sdk package_x", version=f"1.0.{number}")
    refused(HttpNotFoundError, "no package", io.get_package, "sdk package_x", version="1.0.4")
    print("packages: created, walked over page by page, told as they were sent, deleted")


def wrong_port() -> dict:
    wrong = package("sdk wrong", "1")
    wrong["spec"]["endpoints"][0]["port"] = 8080
    return wrong


def static_routes(io: Client) -> None:
    for name in ["sdk-shop-one", "sdk-shop-two"]:
        made = io.create_staticroute({"metadata": {"name": name}})
        assert made.spec.url == f"{name}.ep-r.io" and made.status.status == "Available", made
    refused(HttpAlreadyExistsError, "sdk-shop-one", io.create_staticroute, {"metadata": {"name": "sdk-shop-one"}})
    refused(MethodNotAllowedError, "metadata.name", io.create_staticroute, {"metadata": {"name": "Www"}})
    body = {"metadata": {"name": "sdk-shop-one"}, "spec": {"sourceIPRange": ["10.0.0.0/8"]}}
    assert io.update_staticroute("sdk-shop-one", body).spec.source_ip_range == ["10.0.0.0/8"]
    body["spec"] = {}
    assert not io.update_staticroute("sdk-shop-one", body).spec.source_ip_range
    found = io.get_staticroute("sdk-shop-one.ep-r.io")
    assert io.get_staticroute(found.metadata.guid).metadata.name == "sdk-shop-one"
    assert names(walk_pages(io.list_staticroutes, names=["sdk-shop-two"], limit=1)) == ["sdk-shop-two"]
    print("static routes: claimed, restricted, opened, found by name, host and guid")


def deployments(io: Client) -> None:
    io.create_deployment(deployment("sdk blue", "sdk package_x", "1.0.0", ["sdk-shop-one"]))
    io.create_deployment(deployment("sdk green", "sdk package_x", "1.0.0", ["sdk-shop-two"]))
    again = deployment("sdk blue", "sdk package_x", "1.0.0", [])
    refused(HttpAlreadyExistsError, "sdk blue", io.create_deployment, again)
    taken = deployment("sdk red", "sdk package_x", "1.0.0", ["sdk-shop-one"])
    refused(MethodNotAllowedError, "sdk-shop-one", io.create_deployment, taken)
    unknown = deployment("sdk red", "sdk package_x", "9.9.9", [])
    refused(MethodNotAllowedError, "9.9.9", io.create_deployment, unknown)
    for name in ["sdk blue", "sdk green"]:
        until_succeeded(io, name)
    moved(io)
    assert io.get_staticroute("sdk-shop-one").status.status == "Unavailable"
    refused(MethodNotAllowedError, "sdk green", io.delete_staticroute, "sdk-shop-one")
    running = names(walk_pages(io.list_deployments, phases=["Succeeded", "Provisioning"], limit=1))
    assert {"sdk blue", "sdk green"} <= set(running), running
    one = io.get_deployment("sdk blue")
    assert names([io.list_deployments(guids=[one.metadata.guid]).items]) == ["sdk blue"]
    assert io.get_deployment("sdk blue", guid=one.metadata.guid).metadata.guid == one.metadata.guid
    assert io.get_deployment_graph("sdk blue")["nodes"][0]["name"] == "sdk blue"
    assert io.get_deployment_history("sdk blue")["generation"] == one.metadata.generation
    assert list(io.stream_deployment_logs("sdk blue", executable="app"))
    for name in ["sdk blue", "sdk green"]:
        io.delete_deployment(name)
        assert io.get_deployment(name).status.phase == "Stopped"
    refused(MethodNotAllowedError, "stopped", io.update_deployment, one)
    stopped = names(walk_pages(io.list_deployments, phases=["Stopped"]))
    assert {"sdk blue", "sdk green"} <= set(stopped), stopped
    for name in ["sdk-shop-one", "sdk-shop-two"]:
        io.delete_staticroute(name)
    io.delete_package("sdk package_x", version="1.0.0")
    print("deployments: created, a route moved by an update, stopped, listed by phase")


def moved(io: Client) -> None:
    """A route moves by an update of the one it moves to; what was shown and not given is not taken for given."""
    blue, green = io.get_deployment("sdk blue"), io.get_deployment("sdk green")
    shown = {arg.name: arg.value for arg in green.spec.envArgs}
    assert shown["LEVEL"] == "debug" and shown["WEB_HOST"] == "sdk-shop-two.ep-r.io", shown
    green.spec.staticRoutes += blue.spec.staticRoutes
    after = io.update_deployment(green)
    assert after.metadata.generation == green.metadata.generation + 1, after.metadata
    assert len(after.spec.staticRoutes) == 2 and after.spec.staticRoutes[1].url == "sdk-shop-one.ep-r.io", after
    assert not io.get_deployment("sdk blue").spec.staticRoutes
    after = until_succeeded(io, "sdk green")
    after.spec.staticRoutes = after.spec.staticRoutes[1:]
    once_more = io.update_deployment(after)
    told = [(arg.name, arg.value) for arg in once_more.spec.envArgs]
    assert told.count(("OWN", "1")) == 1 and ("WEB_HOST", "sdk-shop-one.ep-r.io") in told, told
    assert len({name for name, _ in told}) == len(told), told


def main() -> None:
    with open(sys.argv[1]) as file:
        config = json.load(file)
    io = client(config)
    identity(io, config)
    projects(io)
    secrets(io)
    packages(io)
    static_routes(io)
    if "--nothing-runs" not in sys.argv:
        deployments(io)


main()
