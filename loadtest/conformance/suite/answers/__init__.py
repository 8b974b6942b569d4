"""Answers of hostile backends, and how a strict client reads what becomes of them."""
