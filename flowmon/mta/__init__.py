"""Asking the MTAs of this host what their queues hold: read-only, by the MTA's own commands."""
