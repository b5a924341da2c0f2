"""Where `flowmon` and `python -m flowmon` begin."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; the version is told without loading it."""
    if sys.argv[1:] == ["--version"]:
        from flowmon import __version__

        print(__version__)
        return
    from flowmon import cli

    cli.main()


if __name__ == "__main__":
    main()
