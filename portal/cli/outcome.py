"""How a command ends: its exit code, and what went wrong as one line on standard error."""

import argparse
import sys
from collections.abc import Callable

from portal import errors


def of(command: Callable[[argparse.Namespace], int | None], args: argparse.Namespace) -> int:
    """Run a command; 1 when it was refused, 130 when it was interrupted."""
    try:
        return command(args) or 0
    except errors.DomainError as error:
        print(" ".join([error.sentence, *error.fields.values()]), file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
