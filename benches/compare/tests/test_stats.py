import unittest

from side_by_side.stats import coverage, interval, paired


class Intervals(unittest.TestCase):
    def test_known_ranks(self):
        # Tables of the sign test's interval: n, rank of the lower bound for 95 %.
        for n, rank in ((6, 1), (8, 1), (9, 2), (12, 3), (15, 4), (20, 6), (25, 8)):
            found = interval([float(value) for value in range(1, n + 1)])
            self.assertEqual((found.low, found.high), (rank, n + 1 - rank), n)
            self.assertTrue(found.certain)

    def test_few_rounds_are_not_certain(self):
        for n in range(1, 6):
            found = interval([float(value) for value in range(n)])
            self.assertEqual((found.low, found.high), (0, n - 1))
            self.assertFalse(found.certain)

    def test_coverage(self):
        self.assertAlmostEqual(coverage(6, 1), 1 - 2 / 64)
        self.assertEqual(coverage(1, 1), 0)

    def test_an_outlier_moves_nothing(self):
        calm = [1.0 + value / 100 for value in range(15)]
        wild = [*calm[:-1], 100.0]
        self.assertEqual(interval(calm).high, interval(wild).high)

    def test_nothing_has_no_interval(self):
        with self.assertRaises(ValueError):
            interval([])


class Pairs(unittest.TestCase):
    def test_only_rounds_in_common_count(self):
        found = paired({0: 1.0, 1: 2.0, 2: 9.0}, {0: 2.0, 1: 4.0, 3: 1.0})
        self.assertEqual((found.middle, found.rounds), (0.5, 2))

    def test_the_machine_s_mood_cancels(self):
        mood = {0: 1.0, 1: 3.0, 2: 0.5}
        found = paired({at: 7 * m for at, m in mood.items()}, {at: 10 * m for at, m in mood.items()})
        self.assertAlmostEqual(found.low, 0.7)
        self.assertAlmostEqual(found.high, 0.7)

    def test_without_a_round_in_common_there_is_no_ratio(self):
        self.assertIsNone(paired({0: 1.0}, {1: 1.0}))
