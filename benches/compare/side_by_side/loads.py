"""Loads of the rig, and what their two samples say."""

from .around import rig
from .cells import Cell
from .setup import OTHER_CORE, run_json

TICK = 1e7
"""Nanoseconds of one of the kernel's ticks in /proc/stat."""
IDLE = ("idle", "iowait")


def run(running, cell: Cell, seconds: float) -> dict:
    command = [rig(), "load", "--target", f"127.0.0.1:{running.setup.port}", "--hosts", running.hosts,
               "--seconds", seconds, *cell.load, *watch(running)]
    said = run_json(command, OTHER_CORE)
    results = said["results"]
    outcome = weigh(said["before"], said["after"], results["units"], cell.mebibytes)
    outcome |= {"units": results["units"], "failed": results["failed"], "errors": results["errors"]}
    outcome |= {"latency_ns": results["latency"], "handshakes": results["handshakes"], "groups": results["groups"]}
    outcome["asked"] = said["warm_units"] + results["units"]
    outcome["dropped"] = results["dropped"]
    return outcome


def watch(running) -> list:
    """Which processes the rig samples."""
    others = [word for pid in running.others() for word in ("--ours", pid)]
    return ["--proxy", running.process.pid, *others]


def weigh(before: dict, after: dict, units: int, mebibytes: float) -> dict:
    """The figure, how busy the proxy's core was, and how much others worked."""
    wall = after["at"] - before["at"]
    threads = {task: ran - before["proxy"].get(task, 0) for task, ran in after["proxy"].items()}
    proxy = sum(threads.values())
    ours = proxy + sum(after[key] - before[key] for key in ("ours", "rig", "kernel"))
    cores = [core_time(*pair) for pair in zip(before["cores"], after["cores"], strict=True)]
    busy = sum(core["busy"] for core in cores) * TICK
    return {
        "figure": proxy / 1000 / units / (mebibytes or 1) if units else None,
        "wall_s": wall / 1e9,
        "proxy_s": proxy / 1e9,
        "threads_s": {task: ran / 1e9 for task, ran in threads.items() if ran},
        "kernel_threads_s": (after["kernel"] - before["kernel"]) / 1e9,
        "softirq_s": cores[0]["softirq"] * TICK / 1e9,
        "core_busy": cores[0]["busy"] / max(1, cores[0]["all"]),
        "foreign_cores": max(0.0, busy - ours) / wall,
    }


def core_time(before: dict, after: dict) -> dict:
    """Ticks of one core between two samples. Stolen ones count as busy: somebody had them."""
    spent = {name: after[name] - before[name] for name in after}
    everything = sum(spent.values())
    return {"all": everything, "busy": everything - sum(spent[name] for name in IDLE), "softirq": spent["softirq"]}
