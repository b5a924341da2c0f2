"""Tests of flowmon.sources: where lines come from."""
