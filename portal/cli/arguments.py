"""The arguments of `omix area` and `omix report`. What they do stands in area_commands.py and report_commands.py, which
only these commands load."""

import argparse
from collections.abc import Callable
from pathlib import Path

REPORTS = ("accessions", "files", "metadata", "usage")
Add = Callable[..., argparse.ArgumentParser]
AREA = (
    ("ls", (), "list a folder, or one upload"),
    ("cp", ("source", "target"), "copy an upload or a folder; bytes are shared where the disk can"),
    ("mv", ("source", "target"), "rename or move an upload or a folder"),
    ("rm", ("path",), "remove an upload, or with -r a folder"),
    ("import", (), "bring files or folders from disk, as if they had been sent"),
)


def area(add: Add, group: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Paths are those of the FTP tree, such as /OMIX/run1/a.gz; area_commands.run() gets the word."""
    parsers = {}
    for word, arguments, about in AREA:
        parsers[word] = add(word, "area_commands.run", about, group)
        parsers[word].set_defaults(word=word)
        for argument in ("email", *arguments):
            parsers[word].add_argument(argument)
    parsers["ls"].add_argument("path", nargs="?", default="")
    parsers["rm"].add_argument("-r", dest="folder", action="store_true", help="all that lies below")
    parsers["import"].add_argument("sources", nargs="+", type=Path, metavar="source")
    parsers["import"].add_argument("--to", default="", metavar="FOLDER", help="default: the incoming folder")
    parsers["import"].add_argument("--dataset", default="", metavar="ID", help="for a dataset, by id or accession")


def reports(add: Add) -> None:
    parser = add("report", "report_commands.report", "write a batch report of a center, or what changed since one")
    parser.add_argument("kind", choices=(*REPORTS, "changed"))
    parser.add_argument("--center", default="", help="name of the center; changed: that of the report, unless named")
    parser.add_argument(
        "--full", action="store_true", help="all (the default); with --date the full report of that day"
    )
    parser.add_argument("--date", default="", help="the report that was written for this day, YYYY-MM-DD")
    parser.add_argument("--since", default="", help="what came or changed since a day; changed: the report, a file")
    parser.add_argument("--realm", choices=("open", "protected"), default="open", help="realm of the usage report")
    parser.add_argument("-o", "--output", type=Path, help="file to write; without it standard output")
    sums = add("metamd5", "report_commands.sums", "print accession and canonical MD5 of the objects in XML files")
    sums.add_argument("paths", nargs="*", help=".xml files, or files that list paths; none: paths on standard input")
