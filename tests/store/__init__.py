"""Tests of flowmon.store: what it keeps, and the answers from it."""
