"""Benchmarks: `python tests/bench/run.py [--quick] [--write]`."""
