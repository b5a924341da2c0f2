"""Checks that an administrator asks for: flowmon asks nobody anything unless a key says so."""
