"""The words of `omix area`. What they do stands in portal/drawers.py, which only that command loads. Paths are those of
the FTP tree, such as /OMIX/run1/a.gz."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

WORDS = (
    ("ls", (), "list a folder, or one upload"),
    ("cp", ("source", "target"), "copy an upload or a folder; bytes are shared where the disk can"),
    ("mv", ("source", "target"), "rename or move an upload or a folder"),
    ("rm", ("path",), "remove an upload, or with -r a folder"),
    ("import", (), "bring files or folders from disk, as if they had been sent"),
)


def declare(add: Callable[..., argparse.ArgumentParser], parser: argparse.ArgumentParser, run: Any) -> None:
    """Give the parser of `omix area` its commands; each remembers its word for drawers.run()."""
    group = parser.add_subparsers(required=True, metavar="COMMAND")
    made = {}
    for word, arguments, about in WORDS:
        made[word] = add(word, run, about, group)
        made[word].set_defaults(word=word)
        for argument in ("email", *arguments):
            made[word].add_argument(argument)
    made["ls"].add_argument("path", nargs="?", default="")
    made["rm"].add_argument("-r", dest="folder", action="store_true", help="all that lies below")
    made["import"].add_argument("sources", nargs="+", type=Path, metavar="source")
    made["import"].add_argument("--to", default="", metavar="FOLDER", help="default: the incoming folder")
