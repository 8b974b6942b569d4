"""Every operation of the JSON API's description, called as it is meant to be, and each answer held to it.

usage: described.py URL TOKEN_FILE
"""

import sys
from pathlib import Path

import schemathesis

URL, TOKEN_FILE = sys.argv[1], Path(sys.argv[2])
HEADERS = {"Authorization": f"Bearer {TOKEN_FILE.read_text().strip()}"}

schema = schemathesis.openapi.from_url(f"{URL}/openapi.json")
called = set()


def call(method: str, path: str, expected: int, body=None, query=None, **names):
    """Calls it, and holds the answer to the description."""
    operation = schema[path][method]
    given = {"path_parameters": names, "query": query or {}}
    if body is not None:
        given |= {"body": body, "media_type": "application/json"}
    response = operation.Case(**given).call_and_validate(base_url=URL, headers=HEADERS)
    assert response.status_code == expected, f"{method} {path}: {response.status_code} {response.text}"
    called.add((method, path))
    return response.json() if response.content and "json" in response.headers["content-type"][0] else None


def executable(name: str, **more) -> dict:
    limits = {"cpu": 0.5, "memory": 256}
    return {"name": name, "docker": {"image": "example.com/app:1"}, "limits": limits, **more}


PACKAGE = {
    "metadata": {"name": "described app", "version": "1.0.0", "description": "all there is", "labels": {"a": "b"}},
    "spec": {
        "runtime": "cloud",
        "cloud": {"replicas": 2},
        "executables": [
            executable(
                "front",
                command=["serve"],
                livenessProbe={"httpGet": {"path": "/", "port": 8080}, "timeoutSeconds": 10},
            ),
            executable("back", entrypoint=["/bin/back"], livenessProbe={"tcpSocket": {"port": 9}}),
        ],
        "environmentVars": [
            {"name": "LEVEL", "default": "info", "exposed": True, "exposedName": "APP_LEVEL"},
            {"name": "USER", "valueFrom": {"secretKeyRef": {"name": "described-keys", "key": "user"}}},
        ],
        "endpoints": [
            {"name": "WEB", "type": "external-http", "port": 80, "targetPort": 8080, "backendProtocol": "h2c"},
            {"name": "SAFE", "type": "external-https"},
            {"name": "RAW", "type": "external-tls-tcp", "targetPort": 8443},
            {"name": "DB", "type": "internal-tcp", "port": 5432},
            {"name": "MEDIA", "type": "internal-udp-range", "portRange": "3446-3449,3500"},
        ],
    },
}

PLANS = {
    "metadata": {"name": "described plans", "version": "v1"},
    "spec": {
        "plans": [
            {
                "name": "small",
                "components": [
                    {"name": "cloud-part", "runtime": "cloud", "executables": [executable("app")]},
                    {
                        "name": "device-part",
                        "runtime": "device",
                        "device": {"arch": "arm64v8", "restart": "onfailure", "runtime": "preinstalled"},
                        "executables": [{"name": "agent", "type": "preInstalled", "command": "exec agent"}],
                        "ros": {
                            "enabled": True,
                            "version": "noetic",
                            "rosEndpoints": [{"type": "topic", "name": "/a", "qos": "low"}],
                        },
                    },
                ],
            },
            {"name": "large", "components": [{"name": "app", "executables": [executable("app", limits={"cpu": 1})]}]},
        ]
    },
}


def deployment(name: str, of=("described app", "1.0.0"), **spec) -> dict:
    package = {"nameOrGUID": of[0], "version": of[1]}
    return {"metadata": {"name": name, "depends": package}, "spec": spec}


def main() -> None:
    call("GET", "/user/info", 200)
    call("POST", "/user/login", 400)
    call("POST", "/refreshtoken", 200, body={"token": HEADERS["Authorization"].removeprefix("Bearer ")})
    me = call("GET", "/v2/users/me/", 200)
    call("GET", "/v2/organizations/{guid}/", 200, guid=me["spec"]["organizations"][0]["guid"])

    project = {"metadata": {"name": "described", "labels": {"a": "b"}}}
    made = call("POST", "/v2/projects/", 201, body=project)
    call("POST", "/v2/projects/", 409, body=project)
    call("GET", "/v2/projects/", 200, query={"name": "described"})
    guid = made["metadata"]["guid"]
    call("GET", "/v2/projects/{guid}/", 200, guid=guid)
    call("PUT", "/v2/projects/{guid}/", 200, body=project, guid=guid)
    call("DELETE", "/v2/projects/{guid}/", 204, guid=guid)

    keys = {"metadata": {"name": "described-keys"}, "spec": {"type": "Opaque", "data": {"user": "a"}}}
    docker = {"username": "u", "password": "p", "email": "e@example.com"}
    call("POST", "/v2/secrets/", 201, body=keys)
    call("POST", "/v2/secrets/", 409, body=keys)
    registry = {"metadata": {"name": "described-registry"}, "spec": {"type": "Docker", "docker": docker}}
    call("POST", "/v2/secrets/", 201, body=registry)
    call("GET", "/v2/secrets/", 200)
    call("PUT", "/v2/secrets/{name}/", 200, body=keys, name="described-keys")
    call("GET", "/v2/secrets/{name}/", 200, name="described-registry")

    call("POST", "/v2/packages/", 201, body=PACKAGE)
    call("POST", "/v2/packages/", 409, body=PACKAGE)
    call("POST", "/v2/packages/", 201, body=PLANS)
    listed = call("GET", "/v2/packages/", 200, query={"limit": 1})
    call("GET", "/v2/packages/", 200, query={"continue": listed["metadata"]["continue"]})
    call("GET", "/v2/packages/{name}/", 200, name="described app", query={"version": "1.0.0"})
    call("GET", "/v2/packages/{name}/", 200, name="described plans")

    route = {"metadata": {"name": "described-shop"}, "spec": {"sourceIPRange": ["10.0.0.0/8", "::1/128", "0.0.0.0/0"]}}
    call("POST", "/v2/staticroutes/", 201, body=route)
    call("POST", "/v2/staticroutes/", 409, body=route)
    call("PUT", "/v2/staticroutes/{name}/", 200, body=route, name="described-shop")
    deployments()
    call("GET", "/v2/staticroutes/", 200)
    call("GET", "/v2/staticroutes/{name}/", 200, name="described-shop.ep-r.io")

    call("DELETE", "/v2/staticroutes/{name}/", 204, name="described-shop")
    call("GET", "/v2/staticroutes/{name}/", 404, name="described-shop")
    call("DELETE", "/v2/packages/{name}/", 204, name="described app", query={"version": "1.0.0"})
    call("DELETE", "/v2/packages/{name}/", 204, name="described plans")
    call("DELETE", "/v2/secrets/{name}/", 204, name="described-keys")
    call("DELETE", "/v2/secrets/{name}/", 204, name="described-registry")

    there = {(o.ok().method.upper(), o.ok().path) for o in schema.get_all_operations()}
    assert called == there, f"never called: {there - called}"
    print(f"{len(called)} operations answer as they are described")


def deployments() -> None:
    backends = {"WEB": ["127.0.0.1:8080"], "SAFE": ["127.0.0.1:8081"], "RAW": ["127.0.0.1:8443"]}
    bound = [{"name": "WEB", "depends": {"nameOrGUID": "described-shop"}}]
    one = deployment("described one", runtime="cloud", backends=backends, staticRoutes=bound)
    call("POST", "/v2/deployments/", 201, body=one)
    call("POST", "/v2/deployments/", 409, body=one)
    two = deployment(
        "described two",
        of=("described plans", "v1"),
        plan="large",
        depends=[{"nameOrGUID": "described one", "wait": True}],
        envArgs=[{"name": "OWN", "value": "1"}],
        volumes=[{"execName": "app", "mountPath": "/data", "depends": {"nameOrGUID": "disk"}}],
        features={"vpn": {"enabled": True}},
    )
    call("POST", "/v2/deployments/", 201, body=two)
    call("POST", "/v2/deployments/", 400, body=deployment("described three", staticRoutes=bound))
    call("GET", "/v2/deployments/", 200, query={"phases": ["Succeeded", "InProgress"]})
    call("GET", "/v2/deployments/{name}/", 200, name="described two")
    call("PATCH", "/v2/deployments/{name}/", 200, body=one, name="described one")
    for about in ["logs", "graph", "history"]:
        call("GET", f"/v2/deployments/{{name}}/{about}/", 200, name="described two")
    for name in ["described two", "described one"]:
        call("DELETE", "/v2/deployments/{name}/", 204, name=name)
        call("GET", "/v2/deployments/{name}/", 200, name=name)


main()
