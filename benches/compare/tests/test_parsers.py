import hashlib
import tempfile
import unittest
from pathlib import Path

from side_by_side import bind, h2load, holding, loads, rounds, route_cache
from side_by_side.cells import Duty

H2LOAD = """finished in 2.00s, 24000.50 req/s, 2.45MB/s
requests: 48001 total, 48257 started, 48001 done, 48001 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 48001 2xx, 0 3xx, 0 4xx, 0 5xx
0m0.00s 0m0.01s
0m0.31s 0m1.20s
"""


def sample(at, proxy, busy, rig=0):
    core = {"user": busy, "nice": 0, "system": 0, "idle": at // 10_000_000 - busy, "iowait": 0, "irq": 0,
            "softirq": 2, "steal": 0}
    return {"at": at, "proxy": proxy, "ours": 0, "rig": rig, "kernel": 0, "cores": [core, core]}


class Parsers(unittest.TestCase):
    def test_h2load(self):
        self.assertEqual(h2load.parse(H2LOAD), (48_001, 0, 1_510_000_000))

    def test_bind(self):
        said = ('### Table\n\n{"bench":"bind_to_served","results":['
                '{"routes":1027,"served_after_return_ns":{"p99":1.75e6},"failures":0},'
                '{"routes":1000003,"served_after_return_ns":{"p99":3.5e6},"failures":0}]}')
        self.assertEqual(bind.parse(said)["figure"], 3.5)
        self.assertEqual(bind.parse(said.replace('"failures":0}]', '"failures":1}]'))["figure"], float("inf"))

    def test_epoll(self):
        info = "pos:\t0\nflags:\t02000002\ntfd:       12 events: 19 data: 4\ntfd:        9 events: 19 data: 0\n"
        self.assertEqual(holding.watches(info), {"12", "9"})
        self.assertEqual(holding.watches("pos:\t0\n"), frozenset())

    def test_a_round_is_weighed(self):
        # A second, of which the proxy worked 0.9 s in two tasks, the rig 0.5 s, and the cores 0.95 s each.
        before = sample(0, {"7 a": 5}, 0)
        after = sample(10**9, {"7 a": 500_000_005, "8 b": 400_000_000}, 95, 500_000_000)
        before["cores"] = [dict.fromkeys(after["cores"][0], 0)] * 2
        outcome = loads.weigh(before, after, 30_000, 0)
        self.assertAlmostEqual(outcome["figure"], 30.0)
        self.assertAlmostEqual(outcome["core_busy"], 0.97 / 1.02, places=2)
        self.assertAlmostEqual(outcome["foreign_cores"], 2 * 0.97 - 1.4, places=6)

    def test_figures_for_a_mebibyte(self):
        before, after = sample(0, {}, 0), sample(10**9, {"7 a": 10**9}, 95)
        self.assertAlmostEqual(loads.weigh(before, after, 100, 16.0)["figure"], 625.0)
        self.assertIsNone(loads.weigh(before, after, 0, 16.0)["figure"])


class Order(unittest.TestCase):
    def test_everyone_is_first_and_meets_others(self):
        players = ["a", "b", "c"]
        orders = [rounds.rotated(players, number) for number in range(6)]
        self.assertEqual({order[0] for order in orders}, set(players))
        self.assertTrue(all(sorted(order) == players for order in orders))
        self.assertGreater(len({tuple(order) for order in orders}), 3)


class RouteCache(unittest.TestCase):
    def test_varints(self):
        self.assertEqual(route_cache.varint(0), b"\0")
        self.assertEqual(route_cache.varint(300), b"\xac\x02")

    def test_a_file_is_whole(self):
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "routes.cache"
            route_cache.write(path, Duty.HTTPS, ["unit-0.ep-r.io", "unit-1.ep-r.io"], 2, "127.0.0.1:80")
            content = path.read_bytes()
        self.assertEqual(content[:12], b"EPRROUTE\x01\0\0\0")
        self.assertEqual(content[28:36], (2).to_bytes(8, "little"))
        self.assertEqual(content[-32:], hashlib.sha256(content[:-32]).digest())
