"""The omix command: its words. What they do is loaded once one of them is asked for."""

import argparse
import sys
from importlib import import_module
from pathlib import Path
from typing import TypeAlias

from pydantic import ValidationError

from portal import logs
from portal.cli import arguments, outcome
from portal.config import settings


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    args = parser().parse_args(argv)
    try:
        chosen = settings()
    except ValidationError as error:
        for fault in error.errors():
            print(f"OMIX_{str(fault['loc'][0]).upper()}: {fault['msg']}", file=sys.stderr)
        return 2
    logs.start(chosen.log_format)
    # By name: a process loads the modules of its own command and no others.
    module, _, name = args.run.partition(".")
    return outcome.of(getattr(import_module(f"portal.cli.{module}"), name), args)


Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # what add_subparsers() gives


def parser() -> argparse.ArgumentParser:
    """Each command names what runs it: a module of this package and its function."""
    root = argparse.ArgumentParser(prog="omix", description="The OMIX Portal. Settings come from OMIX_* variables.")
    commands = root.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: str, about: str, group: Subparsers = commands) -> argparse.ArgumentParser:
        command: argparse.ArgumentParser = group.add_parser(name, help=about, description=about)
        command.set_defaults(run=run)
        return command

    def several(name: str, about: str) -> Subparsers:
        return commands.add_parser(name, help=about).add_subparsers(required=True, metavar="COMMAND")

    add("up", "processes.up", "migrate, then run web, FTP and worker together")
    add("demo", "processes.run_demo", "the same on a throw-away instance filled with examples")
    for name in ("web", "ftp", "worker"):
        process = add(name, f"processes.{name}", f"run the {name} alone")
        process.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    add("migrate", "commands.migrate", "bring the database to this program's schema")
    user = add("add", "commands.user_add", "make an account, verified at once", several("user", "people"))
    user.add_argument("email")
    user.add_argument("--password", required=True)
    user.add_argument("--role", choices=("submitter", "curator"), default="submitter")
    user.add_argument("--center", default="")
    user.add_argument("--name", default="")
    token = add("add", "commands.token_add", "make an API token and print it once", several("token", "API tokens"))
    token.add_argument("email")
    about = "look after disks, doors, jobs, mails, certificates; exit 1: warnings, 2: faults"
    add("check", "commands.check_site", about).add_argument(
        "--quiet", action="store_true", help="only what is not well"
    )
    about = "run a job that failed for good again, or all of them"
    again = add("again", "commands.job_again", about, several("job", "background jobs"))
    again.add_argument("number", type=int, nargs="?", help="of the job, as `omix check` and Admin > Jobs name it")
    fsck = add("fsck", "commands.check_files", "compare catalogue and disk, changing nothing")
    fsck.add_argument("--deep", action="store_true")
    add("fixity", "commands.read_fixity", "read archived files and compare").add_argument("accession", nargs="?")
    due = add("release-due", "commands.release_due", "release what is due")
    due.add_argument("--dry-run", action="store_true", help="only say what is due and what opens tonight")
    due.add_argument("--clock-is-right", action="store_true", help="believe the clock after a leap of more than a day")
    papers = several("publication", "papers that name datasets")
    about = "record papers: a file of lines ACCESSION<TAB>DOI or PMID"
    add("import", "commands.import_publications", about, papers).add_argument("path", type=Path)
    arguments.reports(add)
    arguments.area(add, several("area", "what lies in somebody's area"))
    again = add("rebuild", "commands.rebuild", "make a lost database again from the bags of the archive")
    again.add_argument("--deep", action="store_true", help="read and compare every archived byte at once")
    add("backup", "commands.backup", "write a consistent copy of the database").add_argument("path", type=Path)
    add("config", "commands.show_config", "print every setting with its meaning")
    return root
