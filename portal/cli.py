"""The omix command. Each part is small: parse, open one instance, call one verb, say it in a sentence."""

import argparse
import ctypes
import logging
import secrets
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from portal import area_words, config, db, demo, errors, fsck, logs, migrations, queue, reconcile, storage, supervisor
from portal.config import settings
from portal.domain import accounts, history, publications, releases, tokens
from portal.models import Dataset
from portal.reporting import declare as declare_reports

log = logging.getLogger("omix")
PR_SET_PDEATHSIG = 1


def main(words: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    asked = parser().parse_args(words)
    try:
        chosen = settings()
    except ValidationError as error:
        for fault in error.errors():
            print(f"OMIX_{str(fault['loc'][0]).upper()}: {fault['msg']}", file=sys.stderr)
        return 2
    logs.start(chosen.log_format)
    try:
        return asked.run(asked) or 0
    except errors.DomainError as error:
        print(" ".join([error.sentence, *error.fields.values()]), file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="omix", description="The OMIX Portal. Settings come from OMIX_* variables.")
    parts = made.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run, about: str, group=parts) -> argparse.ArgumentParser:
        found = group.add_parser(name, help=about, description=about)
        found.set_defaults(run=run)
        return found

    add("up", up, "migrate, then run web, FTP and worker together")
    add("demo", run_demo, "the same on a throw-away instance filled with examples")
    for name, run in (("web", web), ("ftp", ftp), ("worker", work)):
        add(name, run, f"run the {name} alone").add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    add("migrate", migrate, "bring the database to this program's schema")
    users = parts.add_parser("user", help="people").add_subparsers(required=True, metavar="COMMAND")
    user = add("add", user_add, "make an account, verified at once", users)
    user.add_argument("email")
    user.add_argument("--password", required=True)
    user.add_argument("--role", choices=("submitter", "curator"), default="submitter")
    user.add_argument("--center", default="")
    user.add_argument("--name", default="")
    keys = parts.add_parser("token", help="API tokens").add_subparsers(required=True, metavar="COMMAND")
    add("add", token_add, "make an API token and print it once", keys).add_argument("email")
    add(
        "check", self_check, "look after disks, doors, jobs, mails, certificates; exit 1: warnings, 2: faults"
    ).add_argument("--quiet", action="store_true", help="say only what is not well")
    add("fsck", check, "compare catalogue and disk, changing nothing").add_argument("--deep", action="store_true")
    add("fixity", read_fixity, "read archived files and compare").add_argument("accession", nargs="?")
    add("release-due", release_due, "release what is due").add_argument(
        "--dry-run", action="store_true", help="only say what is due and what opens tonight"
    )
    papers = parts.add_parser("publication", help="papers that name datasets").add_subparsers(
        required=True, metavar="COMMAND"
    )
    listed = add("import", import_publications, "record papers: a file of lines ACCESSION<TAB>DOI or PMID", papers)
    listed.add_argument("path", type=Path)
    declare_reports(parts, open_instance)
    area_words.declare(add, parts.add_parser("area", help="what lies in somebody's area"), in_area)
    add("backup", backup, "write a consistent copy of the database").add_argument("path", type=Path)
    add("config", show_config, "print every setting with its meaning")
    return made


def open_instance(*, check: bool = True) -> None:
    settings().prepare()
    db.configure(settings().database)
    queue.configure(settings().queue)
    if check:
        migrations.check(db.engine())


def part(name: str) -> Any:
    """A part that only one command needs: the processes of `omix up` stay small by loading no more than their own."""
    return import_module(name)


def die_with_parent(asked: argparse.Namespace) -> None:
    """A child of `omix up` ends when that is killed (Linux)."""
    if asked.child and sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def say_address(name: str, address: str) -> None:
    storage.write_whole(settings().run / f"{name}.address", f"{address}\n".encode())


def up(_asked: argparse.Namespace) -> int:
    return run_up(lambda addresses: None)


def run_up(ready) -> int:
    settings().prepare()
    held = supervisor.lock(settings())
    db.configure(settings().database)
    queue.configure(settings().queue)
    migrations.upgrade(db.engine())
    reconcile.run()
    first = first_curator()
    db.dispose()

    def tell(addresses: dict[str, str]) -> None:
        print(f"Portal: {addresses['web']}\nFTP:    {addresses['ftp']}", flush=True)
        if first:
            once = "(shown once; change it on the account page)"
            print(f"First curator: {first[0]}  password: {first[1]}  {once}", flush=True)
        ready(addresses)

    try:
        return supervisor.Supervisor(settings(), tell).run()
    finally:
        held.close()


def first_curator() -> tuple[str, str] | None:
    """An account to begin with, where there is no curator yet."""
    if accounts.count_curators():
        return None
    email, password = f"curator@{settings().contact.rpartition('@')[2] or 'example.org'}", secrets.token_urlsafe(12)
    if accounts.by_email(email) is not None:
        return None
    with db.transaction():
        accounts.create(email=email, password=password, role="curator", center="Archive", name="Curator")
    return email, password


def run_demo(_asked: argparse.Namespace) -> int:
    with demo.instance() as (chosen, ready):
        config.use(chosen)
        return run_up(ready)


def web(asked: argparse.Namespace) -> int:
    die_with_parent(asked)
    open_instance()
    db.dispose()
    part("portal.serving").serve(settings(), lambda address: say_address("web", address))
    return 0


def ftp(asked: argparse.Namespace) -> int:
    die_with_parent(asked)
    open_instance()
    part("ftp.server").serve(settings(), lambda address: say_address("ftp", address))
    return 0


def work(asked: argparse.Namespace) -> int:
    die_with_parent(asked)
    open_instance()
    part("portal.jobs.worker").serve()
    return 0


def migrate(_asked: argparse.Namespace) -> int:
    open_instance(check=False)
    migrations.upgrade(db.engine())
    print(f"The database stands at step {migrations.head()}.")
    return 0


def user_add(asked: argparse.Namespace) -> int:
    open_instance()
    with db.transaction():
        made = accounts.create(email=asked.email, password=asked.password, role=asked.role, center=asked.center,
                               name=asked.name)  # fmt: skip
    print(f"{made.email} is a {made.role} of {made.center.name}.")
    return 0


def token_add(asked: argparse.Namespace) -> int:
    open_instance()
    account = accounts.by_email(asked.email)
    if account is None:
        raise errors.NotFound(f"Nobody has the address {asked.email}.")
    with db.transaction():
        secret = tokens.make_api_token(account, label="made by command", actor=None)
    print(secret)
    return 0


def self_check(asked: argparse.Namespace) -> int:
    """The exit codes are those of monitoring plug-ins."""
    open_instance()
    health = part("portal.health")
    found = health.run()
    for name, findings in found.items():
        for finding in findings:
            if not (asked.quiet and finding.level == health.OK):
                print(f"{finding.level.upper():5}{name}: {finding.says} {finding.remedy}".rstrip())
    return health.LEVELS.index(health.worst(found))


def note(action: str, **after: Any) -> None:
    """Upkeep by command is part of the history: the self-check asks when it was last done."""
    with db.transaction():
        history.record(action, actor=None, after=after)


def check(asked: argparse.Namespace) -> int:
    open_instance()
    findings = 0
    for finding in fsck.check(deep=asked.deep):
        print(finding)
        findings += 1
    note("site.fsck", findings=findings, deep=asked.deep)
    print(f"{findings} findings." if findings else "Catalogue and disk agree.")
    return 1 if findings else 0


def in_area(asked: argparse.Namespace) -> int:
    open_instance()
    return part("portal.drawers").run(asked)


def read_fixity(asked: argparse.Namespace) -> int:
    open_instance()
    query = db.session.query(Dataset).filter(Dataset.accession.is_not(None)).order_by(Dataset.id)
    if asked.accession:
        query = query.filter(Dataset.accession == asked.accession.upper())
    datasets = query.all()
    if asked.accession and not datasets:
        raise errors.NotFound(f"There is no dataset {asked.accession}.")
    totals = {"ok": 0, "bad": 0, "unknown": 0}
    for dataset in datasets:
        counts = part("portal.jobs.fixity").read_all(dataset, say_verdict)
        totals = {verdict: totals[verdict] + counts[verdict] for verdict in totals}
    print(", ".join(f"{count} {verdict}" for verdict, count in totals.items()))
    return 1 if totals["bad"] or totals["unknown"] else 0


def say_verdict(target, verdict: str, why: str) -> None:
    if why:
        print(f"{target.path.name}: {verdict}. {why}")


def release_due(asked: argparse.Namespace) -> int:
    open_instance()
    found = releases.due(ahead=1 if asked.dry_run else 0)
    for dataset in found:
        when = {"asked": "now, asked for", "publication": "now, published", "date": f"due since {dataset.release_date}"}
        why = releases.cause(dataset)
        left = " ".join(releases.obstacles(dataset))
        print(f"{dataset.accession} {when[why] if why else f'at 00:00 on {dataset.release_date}'}: {left or 'opens'}")
    if not found:
        print("Nothing is due." if not asked.dry_run else "Nothing is due, and nothing opens tonight.")
    if not asked.dry_run and found:
        with db.transaction():
            for dataset in found:
                releases.owe(dataset)
    return 0


def import_publications(asked: argparse.Namespace) -> int:
    """Each line stands for itself: a bad one is told with its number, the others are recorded."""
    open_instance()
    bad = 0
    for number, line in enumerate(asked.path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        accession, _, text = line.partition("\t")
        if not line.strip() or line.startswith("#"):
            continue
        try:
            with db.transaction():
                dataset = publications.dataset_of(accession.strip())
                publications.record(dataset, text, actor=None, source="list")
        except errors.DomainError as error:
            bad += 1
            print(f"line {number}: {' '.join(error.fields.values()) or error.sentence}", file=sys.stderr)
    return 1 if bad else 0


def backup(asked: argparse.Namespace) -> int:
    open_instance()
    if asked.path.exists():
        raise errors.Conflict(f"{asked.path} exists already; name a new file.")
    db.copy_to(asked.path.absolute())
    asked.path.chmod(0o600)
    note("site.backup", size=asked.path.stat().st_size)
    print(f"The database is copied to {asked.path}. Archive and area folders are copied by your own means.")
    return 0


def show_config(_asked: argparse.Namespace) -> int:
    for name, field in config.Settings.model_fields.items():
        value = "(set)" if name == "secret_key" and settings().secret_key else getattr(settings(), name)
        print(f"OMIX_{name.upper()}={'' if value is None else value}\n    {field.description}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
