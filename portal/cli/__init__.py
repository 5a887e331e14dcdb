"""The omix command. `main` is its entry point."""

from portal.cli.main import main

__all__ = ["main"]
