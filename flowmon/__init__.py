"""flowmon: a terminal mail-flow monitor."""

__version__ = "0.1.0"
