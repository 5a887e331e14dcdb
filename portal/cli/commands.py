"""The commands that do one thing and end: people, upkeep, releases. Each opens the instance, calls one verb and says it
in a sentence."""

import argparse
import sys
from typing import Any

from portal import config, db, errors, migrations
from portal.config import settings
from portal.domain.accounts import accounts, tokens
from portal.domain.datasets import publications, releases
from portal.domain.shared import history, trusted_clock
from portal.jobs.handlers.archive import fixity
from portal.maintenance import fsck, self_check
from portal.maintenance import rebuild as rebuilding
from portal.maintenance.startup import open_instance
from portal.models import Dataset


def migrate(_asked: argparse.Namespace) -> int:
    open_instance(check=False)
    migrations.upgrade(db.engine())
    print(f"The database stands at step {migrations.head()}.")
    return 0


def user_add(asked: argparse.Namespace) -> int:
    open_instance()
    with db.transaction():
        made = accounts.create(
            email=asked.email, password=asked.password, role=asked.role, center=asked.center, name=asked.name
        )
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


def check_site(asked: argparse.Namespace) -> int:
    """The exit codes are those of monitoring plug-ins."""
    open_instance()
    found = self_check.run()
    for name, findings in found.items():
        for finding in findings:
            if not (asked.quiet and finding.level == self_check.OK):
                print(f"{finding.level.upper():5}{name}: {finding.says} {finding.remedy}".rstrip())
    return self_check.LEVELS.index(self_check.worst(found))


def note(action: str, **after: Any) -> None:
    """Upkeep by command is part of the history: the self-check asks when it was last done."""
    with db.transaction():
        history.record(action, actor=None, after=after)


def check_files(asked: argparse.Namespace) -> int:
    open_instance()
    findings = 0
    for finding in fsck.check(deep=asked.deep):
        print(finding)
        findings += 1
    note("site.fsck", findings=findings, deep=asked.deep)
    print(f"{findings} findings." if findings else "Catalogue and disk agree.")
    return 1 if findings else 0


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
        counts = fixity.read_all(dataset, say_verdict)
        totals = {verdict: totals[verdict] + counts[verdict] for verdict in totals}
    print(", ".join(f"{count} {verdict}" for verdict, count in totals.items()))
    return 1 if totals["bad"] or totals["unknown"] else 0


def say_verdict(target, verdict: str, why: str) -> None:
    if why:
        print(f"{target.path.name}: {verdict}. {why}")


def release_due(asked: argparse.Namespace) -> int:
    open_instance()
    if asked.clock_is_right:
        with db.transaction():
            trusted_clock.trust()
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
                releases.enqueue(dataset)
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


def rebuild(asked: argparse.Namespace) -> int:
    return rebuilding.run(asked)
