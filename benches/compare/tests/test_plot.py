import unittest

from side_by_side.plot import ticks


class Ticks(unittest.TestCase):
    def test_there_are_some_for_any_figure(self):
        self.assertEqual(ticks(0), [0])
        self.assertEqual(ticks(95), [10 * at for at in range(10)])
        for most in (1e-3, 0.9, 0.99, 1, 9, 9.01, 9.5, 9.99, 10, 91.3, 99.9, 999.999, 1000, 50_000):
            marks = ticks(most)
            self.assertTrue(5 <= len(marks) <= 11 and marks[-1] <= most * 1.001, f"{most}: {marks}")
