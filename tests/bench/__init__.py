"""Benchmarks: run by hand, never as tests. Each prints ratios to a public tool, measured in the same run."""
