"""Benchmarks: run by hand, never as tests. `make bench` runs those that have a bar, beside public tools."""
