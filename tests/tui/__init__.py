"""Tests of the screens, on a reader with fixed answers."""
