"""How long to wait before trying again."""

import random


class Backoff:
    """Twice as long each time, up to a bound, and never the same for all: whoever lost the same control plane at the
    same moment does not come back at the same moment."""

    def __init__(self, first: float = 0.2, most: float = 10.0):
        self.first, self.most, self.times = first, most, 0

    def next(self) -> float:
        span = min(self.most, self.first * 2**self.times)
        self.times = min(self.times + 1, 16)
        return random.uniform(span / 2, span)

    def reset(self):
        self.times = 0
