"""Conformance kits against the real binary, on loopback."""
