"""From lines to events: framings find time, host, program and body; rules from TOML files find the facts."""
