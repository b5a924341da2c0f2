"""What the commands do, one module each; flowmon.cli reads the arguments."""
