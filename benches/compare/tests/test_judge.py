import unittest

from side_by_side.cells import CELLS, Goal
from side_by_side.judge import rows, verdicts

CELL = {cell.name: cell for cell in CELLS}


def rounds(*figures, **more):
    usual = {"core_busy": 1.0, "failed": 0, "asked": 100, "log_lines": 100}
    return {str(at): {"figure": figure, **usual, **more} for at, figure in enumerate(figures)}


def many(figure, **more):
    return rounds(*[figure * (1 + at / 1000) for at in range(15)], **more)


def judged(name, raw):
    found = rows(CELL[name], raw)
    return [(verdict.against, verdict.word) for verdict in verdicts(CELL[name], found)]


class Verdicts(unittest.TestCase):
    def test_the_best_peer_is_the_measure_and_the_floor_is_none(self):
        raw = {"epr": many(20.0), "floor": many(10.0), "nginx-1.26": many(30.0), "haproxy-3.0": many(31.0)}
        self.assertEqual(judged("h1-64b", raw), [("nginx-1.26", "met")])

    def test_missed(self):
        self.assertEqual(judged("h1-64b", {"epr": many(25.0), "nginx-1.26": many(30.0)}), [("nginx-1.26", "missed")])

    def test_the_upper_bound_decides(self):
        # Of 15 rounds the twelfth is the upper bound.
        for cheap, word in ((12, "met"), (11, "missed")):
            raw = {"epr": rounds(*[20.0] * cheap, *[25.0] * (15 - cheap)), "nginx-1.26": rounds(*[30.0] * 15)}
            self.assertEqual(judged("h1-64b", raw)[0][1], word)

    def test_parity_is_met_when_the_interval_touches_one(self):
        ours = rounds(*[400.0, 370.0, 360.0] * 5)
        self.assertEqual(judged("h1-1m", {"epr": ours, "haproxy-3.0": rounds(*[367.0] * 15)})[0][1], "met")
        self.assertEqual(judged("h1-1m", {"epr": many(400.0), "haproxy-3.0": many(367.0)})[0][1], "missed")

    def test_an_idle_core_and_few_rounds_are_doubts(self):
        raw = {"epr": rounds(20.0, core_busy=0.8), "nginx-1.26": rounds(30.0)}
        self.assertEqual(judged("h1-64b", raw)[0][1], "met, but epr not saturated, 1 rounds are too few")

    def test_peers_of_another_group_do_not_compare(self):
        ours = many(300.0, groups={"X25519MLKEM768": 9})
        raw = {
            "epr": ours,
            "nginx-1.22": many(100.0, groups={"X25519": 9}),
            "nginx-1.26": many(1000.0, groups={"X25519MLKEM768": 9}),
            "envoy": many(600.0, groups={"X25519MLKEM768": 9}),
        }
        self.assertEqual([against for against, _ in judged("tls-mlkem", raw)], ["envoy", "nginx-1.26", "envoy"])
        worst = rows(CELL["tls-mlkem"], raw)[0]
        self.assertEqual((worst.name, worst.notes), ("nginx-1.22", ["negotiated X25519"]))

    def test_resumptions_that_are_none_do_not_compare(self):
        raw = {"epr": many(300.0, handshakes={"resumed": 99, "full": 1}), "caddy": many(200.0, handshakes={"full": 9})}
        self.assertEqual(judged("tls-resumed", raw)[0], ("best", "no such peer"))

    def test_a_figure_of_its_own(self):
        self.assertEqual(judged("idle-plain", {"epr": many(1900.0)}), [("-", "met")])
        self.assertEqual(judged("idle-plain", {"epr": many(2100.0)}), [("-", "missed")])

    def test_versions_of_our_own(self):
        raw = {"epr@10": many(20.0), "epr@1M": many(22.0)}
        self.assertEqual(judged("routes-1m", raw), [("epr@10", "met")])

    def test_failures_and_lost_lines_are_told(self):
        raw = rounds(20.0, 21.0, failed=2, log_lines=50) | {"2": {"figure": None, "fault": "ended"}}
        self.assertEqual(rows(CELL["h1-64b"], {"epr": raw})[0].notes,
                         ["1 rounds failed", "4 requests failed", "logged 50%"])

    def test_goals_read_as_the_table_says(self):
        self.assertEqual(str(Goal(0.7)), "<= 0.7 of best")
        self.assertEqual(str(CELL["h1-1m"].goals[0]), "parity with best")
