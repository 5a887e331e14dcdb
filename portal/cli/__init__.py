"""The omix command. `main` is its entry point."""

from portal.cli.__main__ import main

__all__ = ["main"]
