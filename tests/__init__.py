"""The tests of flowmon."""
